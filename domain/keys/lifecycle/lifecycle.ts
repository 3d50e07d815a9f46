import { v7 as newId } from 'uuid'
import type { RequestContext } from '../../access/principal.ts'
import { ClientKeyNotFound, EnvironmentKeyReadOnly, InvalidFields } from '../../errors.ts'
import { issuesOf } from '../../field-issue.ts'
import { changeKey, revokeEnvironmentKey, revokeKey } from './changes.ts'
import { UNLIMITED } from '../client-key.ts'
import type { ClientKeyRecord, KeyChange, TokenRecord, WantedKey } from '../client-key.ts'
import type { EnvironmentKeys } from '../verdict/environment-keys.ts'
import type { RetryableRequest } from './idempotency.ts'
import { issueKey, rotateKey } from './issuing.ts'
import { createOwnerFunctions } from './owners.ts'
import type { OwnerLifecycle } from './owners.ts'
import type { ChangedKey } from '../freshness/receipt.ts'
import type { NewClientKey, NewToken } from '../rows.ts'
import type { FindUnknownScopes } from '../policy/scope-check.ts'
import type { UNSCOPED } from '../policy/scopes.ts'
import { digestOf, issueClientKey } from '../token/token.ts'
import type { Issued, IssuedClientKey, TokenSealer } from '../token/token.ts'
import { createWrites } from './writes.ts'
import type { Writes, WritesOptions } from './writes.ts'

export type { Issued } from '../token/token.ts'

const HINT_LENGTH = 4

/** The options for a rotation. */
export interface Rotation {
  /** The number of seconds for which the older tokens stay active. If 0, they are revoked. */
  readonly graceSeconds: number
  readonly retryable?: RetryableRequest | undefined
  /**
   * Receives the new token before it becomes active, so that it can be saved in case the process ends. If this function
   * throws, the key stays unchanged.
   */
  readonly keep?: ((issued: IssuedClientKey) => void) | undefined
}

/** The functions that change keys: see `KeyService`. */
export interface KeyLifecycle<S extends string> extends OwnerLifecycle {
  /**
   * Issues a key. Throws InvalidFields if a scope is unknown or the key has already expired, and SecretNotShared if
   * another process couldn't open the token. May also throw ClientKeyNameTaken or IdempotencyKeyReused.
   */
  issue: (
    wanted: WantedKey<S | typeof UNSCOPED>,
    context: RequestContext,
    retryable?: RetryableRequest
  ) => Promise<Issued>
  /** Gives a key a new token. Throws ClientKeyRevoked, TooManyTokens, IdempotencyKeyReused or SecretNotShared. */
  rotate: (
    id: string,
    rotation: Rotation,
    context: RequestContext
  ) => Promise<Issued & ChangedKey & { older: readonly TokenRecord[] }>
  /** Changes a key. Throws ClientKeyRevoked, ClientKeyNameTaken or InvalidFields. */
  change: (id: string, change: KeyChange<S | typeof UNSCOPED>, context: RequestContext) => Promise<ChangedKey>
  revoke: (id: string, reason: string | null, context: RequestContext) => Promise<ChangedKey>
}

export interface KeyLifecycleOptions extends WritesOptions {
  readonly sealer: TokenSealer
  readonly environmentKeys: EnvironmentKeys
  readonly findUnknownScopes: FindUnknownScopes
  readonly find: (id: string) => Promise<ClientKeyRecord>
}

/** Creates the functions that change keys. */
export const createKeyLifecycle = <S extends string>(options: KeyLifecycleOptions): KeyLifecycle<S> => {
  const writes = createWrites(options)
  return {
    ...createTokenFunctions<S>(options, writes),
    ...createChangeFunctions<S>(options, writes),
    ...createOwnerFunctions({ store: options.store, confirmed: writes.confirmed })
  }
}

const createTokenFunctions = <S extends string>(
  { sealer, environmentKeys, findUnknownScopes }: KeyLifecycleOptions,
  { storeToken, confirmed }: Writes
): Pick<KeyLifecycle<S>, 'issue' | 'rotate'> => ({
  issue: async (wanted, context, retryable) => {
    const id = newId()
    const { issued, token } = createToken(sealer)
    const stored = await storeToken(id, async tx => {
      const at = tx.now()
      const key = newKey(id, wanted, context, at)
      return await issueKey(tx, key, { token, at, context, retryable, findUnknownScopes })
    })
    // A retry revokes the token in the lost response, so every node must apply the change.
    const { result } = retryable === undefined ? stored : await confirmed(stored)
    return { ...issued, key: result }
  },

  rotate: async (id, { graceSeconds, retryable, keep }, context) => {
    refuseEnvironmentKey(environmentKeys, id)
    const { issued, token } = createToken(sealer)
    keep?.(issued)
    const stored = await storeToken(id, async tx =>
      existing(await rotateKey(tx, id, graceSeconds, { token, at: tx.now(), context, retryable }))
    )
    const { result, ...confirmation } = await confirmed(stored)
    return { ...issued, ...result, ...confirmation }
  }
})

const createChangeFunctions = <S extends string>(
  { environmentKeys, findUnknownScopes, find }: KeyLifecycleOptions,
  { commitAndConfirm }: Writes
): Pick<KeyLifecycle<S>, 'change' | 'revoke'> => ({
  change: async (id, wanted, context) => {
    refuseEnvironmentKey(environmentKeys, id)
    const { result, ...confirmation } = await commitAndConfirm(id, async tx =>
      existing(await changeKey(tx, id, wanted, { at: tx.now(), context, findUnknownScopes }))
    )
    return { key: result, ...confirmation }
  },

  revoke: async (id, reason, context) => {
    const environmentKey = environmentKeys.find(id)
    const { result, ...confirmation } = await commitAndConfirm<ClientKeyRecord | null>(id, async tx => {
      const occasion = { at: tx.now(), context }
      return environmentKey === null
        ? existing(await revokeKey(tx, id, reason, occasion))
        : await revokeEnvironmentKey(tx, environmentKey, reason, occasion)
    })
    return { key: result ?? (await find(id)), ...confirmation }
  }
})

const refuseEnvironmentKey = (environmentKeys: EnvironmentKeys, id: string): void => {
  if (environmentKeys.find(id) !== null) throw new EnvironmentKeyReadOnly()
}

const existing = <T>(found: T | null): T => {
  if (found === null) throw new ClientKeyNotFound()
  return found
}

const newKey = (
  id: string,
  { enabled = true, description = null, owner = null, metadata = {}, ...policy }: WantedKey,
  { actor }: RequestContext,
  at: Date
): NewClientKey => {
  const { expiresAt = null } = policy
  if (expiresAt !== null && expiresAt <= at) {
    throw new InvalidFields({ issues: issuesOf('expires_at', ['expires_at must be in the future']) })
  }
  return {
    ...UNLIMITED,
    ...policy,
    id,
    source: 'managed',
    enabled,
    description,
    owner,
    metadata,
    createdAt: at,
    createdBy: actor,
    revokedAt: null,
    revokedReason: null,
    lastUsedAt: null
  }
}

const createToken = (sealer: TokenSealer): { issued: IssuedClientKey; token: NewToken } => {
  const issued = issueClientKey(sealer)
  const { keyId, keyAccessToken } = issued
  const hint = keyAccessToken.slice(-HINT_LENGTH)
  return { issued, token: { digest: digestOf(keyId), generation: sealer.generation, hint } }
}
