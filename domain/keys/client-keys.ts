import type { Actor } from '../audits/audit.ts'
import { InvalidFields } from '../errors.ts'
import type { ClientKeyRecord, KeyChange, TokenRecord, WantedKey } from './client-key.ts'
import type { ClientKeyFilter, UsageCount } from './rows.ts'
import type { Counters } from '../counters.ts'
import type { UNSCOPED } from './policy/scopes.ts'
import { checkOfLibrary, generationsOf } from './token/secrets.ts'
import { createKeyService } from './service.ts'
import type { KeyService } from './service.ts'
import type { ClientKeyStore } from './store.ts'
import { checkSecrets as checkTokenSecrets } from './token/opener.ts'
import type { TokenSecrets } from './token/opener.ts'
import type { Issued } from './token/token.ts'
import { refuseCredentials } from './token/shape.ts'
import { DEFAULT_GRACE_SECONDS, MAX_GRACE_SECONDS } from './lifecycle/tokens.ts'
import { createUsageRecorder, DAYS_KEPT } from './usage/recorder.ts'
import type { UsageRecorder } from './usage/recorder.ts'
import { createUsageWriter } from './usage/writer.ts'
import type { Demand, Verdict, Verify } from './verdict/verifier.ts'
import { checkedChange, checkedWanted, refuseBadOwner, refuseBadReason } from './policy/checks.ts'
import type { KeyPage } from './queries.ts'

export interface ClientKeysOptions<S extends string> extends TokenSecrets {
  readonly store: ClientKeyStore
  /** The keys that are accepted in addition to stored ones: their `key_id`s, or `sha256:<64 hex>` digests of them. */
  readonly allowList?: readonly string[] | undefined
  /** Counts the requests of keys with a rate limit. Defaults to counters in the memory of this process. */
  readonly counters?: Counters | undefined
  /**
   * Whether to issue tokens even if none of the secrets is in use in the store. Set this to true if the secret that is
   * in use has been lost. Defaults to false.
   */
  readonly allowNewSecret?: boolean | undefined
  /** The scopes that your routes can require. Each key has some of them, or `*`, which covers all of them. */
  readonly scopes: readonly S[]
  /** The maximum number of tokens in the cache. Defaults to 10,000, which take up about 4 MB. */
  readonly cacheSize?: number | undefined
  /**
   * Called when usage can't be stored, but not again until storing has succeeded. The usage is kept and stored later.
   * By default, the process emits a warning.
   */
  readonly onUsageFailure?: ((error: unknown) => void) | undefined
}

/** The actor and origin of a change, for the audit trail. Your service must check whether the actor may do this. */
export interface ChangeContext {
  /** Defaults to the operator of the process. */
  readonly actor?: Actor | undefined
  readonly address?: string | undefined
  readonly requestId?: string | undefined
}

/**
 * A service's client keys. `S` is the type of its scopes. Each change is one transaction, which includes its audit
 * entry.
 */
export interface ClientKeys<S extends string = string> {
  readonly scopes: readonly S[]
  /**
   * Issues a key. The returned `keyAccessToken` isn't stored anywhere. Throws SecretNotShared if the store is in use
   * with other secrets. May also throw InvalidFields or ClientKeyNameTaken.
   */
  issue: (wanted: WantedKey<S | typeof UNSCOPED>, context?: ChangeContext) => Promise<Issued>
  /**
   * Gives a key a new token. The older tokens expire after `graceSeconds`, which defaults to one day. Throws
   * SecretNotShared if the store is in use with other secrets. May also throw InvalidFields, ClientKeyRevoked or
   * TooManyTokens.
   */
  rotate: (
    id: string,
    rotation?: { readonly graceSeconds?: number | undefined },
    context?: ChangeContext
  ) => Promise<Issued & { older: readonly TokenRecord[] }>
  /** Changes a key. Throws InvalidFields, ClientKeyRevoked or ClientKeyNameTaken. */
  change: (id: string, change: KeyChange<S | typeof UNSCOPED>, context?: ChangeContext) => Promise<ClientKeyRecord>
  /** Revokes a key permanently, effective from the next request. */
  revoke: (id: string, reason?: string | null, context?: ChangeContext) => Promise<ClientKeyRecord>
  /**
   * Revokes all keys of an owner that aren't revoked, in one transaction, effective from the next request. Returns the
   * number of keys.
   */
  revokeOwner: (owner: string, reason?: string | null, context?: ChangeContext) => Promise<number>
  /**
   * Returns the key with the given id. Like all functions that take an id, throws ClientKeyNotFound if there is none.
   */
  find: (id: string) => Promise<ClientKeyRecord>
  /** Returns the keys that match a filter, ordered by id. Returns the first 100 keys by default, and at most 1000. */
  list: (filter?: ClientKeyFilter, page?: KeyPage) => Promise<{ keys: ClientKeyRecord[]; more: boolean }>
  /** Returns at most 100 of a key's tokens, newest first. */
  tokens: (id: string) => Promise<readonly TokenRecord[]>
  /** Returns a key's usage over the last `days` days, including today. Usage is kept for 90 days. */
  usage: (id: string, days?: number) => Promise<UsageCount[]>
  /**
   * Returns the summed usage of all keys of an owner over the last `days` days. All addresses are counted under `*`.
   */
  usageOfOwner: (owner: string, days?: number) => Promise<UsageCount[]>
  /**
   * Checks whether a token meets a demand: see `Demand`. Records the use or refusal of the token's key, and counts the
   * request towards the key's rate limit. Rejects if the store fails, or with a TypeError if the demand contains a
   * scope that the service doesn't have. Never rejects because of an invalid token.
   */
  verify: <R extends string = never>(
    token: string | undefined,
    demand: Demand<R> & { readonly scopes: readonly S[] }
  ) => Promise<Verdict<R>>
  /** Records the usage of keys. The plugin uses it too. Flush the recorder before you close the store. */
  readonly recorder: UsageRecorder
}

/** The maximum number of keys per page. */
const MAX_LIMIT = 1000

const OPERATOR: Actor = { kind: 'cli', id: 'operator', name: 'operator' }

const contextOf = ({ actor = OPERATOR, address, requestId }: ChangeContext = {}) => ({
  actor,
  address: address ?? null,
  requestId: requestId ?? null,
  principal: null
})

const warn = (): void => {
  process.emitWarning('client key usage could not be stored; it is kept in memory and will be stored later')
}

/** Creates a standalone client key service, for use in any program and with any store. */
export const createClientKeys = <const S extends string>({
  allowNewSecret: allowNew = false,
  onUsageFailure = warn,
  ...options
}: ClientKeysOptions<S>): ClientKeys<S> => {
  checkTokenSecrets(options)
  const { store, scopes, secret, previousSecrets = [] } = options
  if (!Array.isArray(scopes)) throw new TypeError("scopes must be an array of your service's scopes")
  const checkSecrets = checkOfLibrary({ generations: generationsOf(secret, previousSecrets), allowNew })
  const recorder = createUsageRecorder({ write: createUsageWriter(store), onFailure: onUsageFailure })
  const service = createKeyService({ ...options, keyLookup: store.keyLookup, usage: recorder, checkSecrets })
  return {
    scopes,
    recorder,
    ...changesOf(service),
    ...readsOf(service, recorder),
    verify: checkedVerify(service.verify, scopes)
  }
}

const changesOf = <S extends string>(
  service: KeyService<S>
): Pick<ClientKeys<S>, 'issue' | 'rotate' | 'change' | 'revoke' | 'revokeOwner'> => ({
  issue: async (wanted, context) => await service.issue(checkedWanted(wanted), contextOf(context)),

  rotate: async (id, { graceSeconds = DEFAULT_GRACE_SECONDS } = {}, context) => {
    if (!Number.isInteger(graceSeconds) || graceSeconds < 0 || graceSeconds > MAX_GRACE_SECONDS) {
      throw new InvalidFields({ errors: [`graceSeconds must be an integer from 0 to ${MAX_GRACE_SECONDS}`] })
    }
    return await service.rotate(id, { graceSeconds }, contextOf(context))
  },

  change: async (id, change, context) => (await service.change(id, checkedChange(change), contextOf(context))).key,

  revoke: async (id, reason = null, context) => {
    refuseBadReason(reason)
    refuseCredentials({ reason })
    return (await service.revoke(id, reason, contextOf(context))).key
  },

  revokeOwner: async (owner, reason = null, context) => {
    refuseBadOwner(owner)
    refuseBadReason(reason)
    refuseCredentials({ owner, reason })
    return (await service.revokeOwner(owner, reason, contextOf(context))).count
  }
})

/** Throws InvalidFields if `value` isn't an integer from 1 to `max`. */
const refuseOutside = (name: string, value: number, max: number): void => {
  if (!Number.isInteger(value) || value < 1 || value > max) {
    throw new InvalidFields({ errors: [`${name} must be an integer from 1 to ${max}`] })
  }
}

// Recorded usage is stored before it is read, so that the result includes recent requests.
const readsOf = (
  service: Pick<KeyService, 'find' | 'list' | 'tokens' | 'usage' | 'usageOfOwner'>,
  recorder: UsageRecorder
): Pick<ClientKeys, 'find' | 'list' | 'tokens' | 'usage' | 'usageOfOwner'> => {
  const afterSettling = async <T>(read: () => Promise<T>): Promise<T> => {
    await recorder.settle()
    return await read()
  }
  return {
    find: async id => await afterSettling(async () => await service.find(id)),
    list: async (filter = {}, page = { limit: 100 }) => {
      refuseOutside('limit', page.limit, MAX_LIMIT)
      return await afterSettling(async () => await service.list(filter, page))
    },
    tokens: async id =>
      await afterSettling(async () => {
        await service.find(id)
        return await service.tokens(id)
      }),
    usage: async (id, days = DAYS_KEPT) => {
      refuseOutside('days', days, DAYS_KEPT)
      return await afterSettling(async () => await service.usage(id, days))
    },
    usageOfOwner: async (owner, days = DAYS_KEPT) => {
      refuseBadOwner(owner)
      refuseOutside('days', days, DAYS_KEPT)
      return await afterSettling(async () => await service.usageOfOwner(owner, days))
    }
  }
}

/** Like `Verify`, but the token may be missing. */
export type CheckedVerify = <R extends string = never>(
  token: string | undefined,
  demand: Demand<R>
) => Promise<Verdict<R>>

/** The options of `verify`, which untyped JavaScript programs may pass with values of any type. */
type UncheckedDemand = Readonly<Record<'scopes' | 'address' | 'userAgent' | 'refusal', unknown>>

const isOptionalString = (value: unknown): boolean => value === undefined || (typeof value === 'string' && value !== '')

const stringOrUndefined = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined)

/**
 * Creates a `verify` function for untyped JavaScript programs. A missing or misspelled scope or address never causes a
 * token to be accepted. Values that aren't strings aren't recorded. The function rejects with a TypeError if the
 * service doesn't have one of the scopes, or if `refusal` isn't a non-empty string.
 */
export const checkedVerify =
  (verify: Verify, scopes: readonly string[]): CheckedVerify =>
  async (token, demand) => {
    const { scopes: demanded, address, userAgent, refusal } = demand as Partial<UncheckedDemand>
    if (!Array.isArray(demanded) || !demanded.every(scope => scopes.includes(String(scope)))) {
      throw new TypeError(`scopes must be an array of scopes of the service: ${scopes.join(', ')}`)
    }
    if (!isOptionalString(refusal)) throw new TypeError('refusal must be a non-empty string, or omitted')
    return await verify(stringOrUndefined(token) ?? '', {
      scopes: demand.scopes,
      refusal: demand.refusal,
      address: stringOrUndefined(address),
      userAgent: stringOrUndefined(userAgent)
    })
  }
