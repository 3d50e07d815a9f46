import { hash } from 'node:crypto'
import { creation } from '../../audits/audit.ts'
import { IdempotencyKeyReused } from '../../errors.ts'
import type { ClientKeyRecord } from '../client-key.ts'
import type { IdempotencyRecord, NewToken, StoredToken } from '../rows.ts'
import type { KeyTx } from '../store.ts'
import { auditKey, findToChange } from './changes.ts'
import type { Occasion } from './changes.ts'
import type { Plan } from './plan.ts'
import { addToken, makeRoom, MAX_TOKENS } from './tokens.ts'

const RETRY_WINDOW_MS = 10 * 60_000

/** A request that may be sent again: who sent it, under which `Idempotency-Key`, and what it asked for. */
export interface RetryableRequest {
  readonly requester: string
  readonly idempotencyKey: string
  /** What was asked for, as text that is the same for the same request. */
  readonly request: string
}

/** A change of keys that creates a token, as one request asks for it. */
export interface TokenRequest extends Occasion {
  readonly token: NewToken
  readonly retryable: RetryableRequest | undefined
}

const hashesOf = ({ requester, idempotencyKey, request }: RetryableRequest) => ({
  requester,
  keyHash: hash('sha256', idempotencyKey),
  requestHash: hash('sha256', request)
})

/** A request that was sent again, with the key that it created or rotated, and the other tokens of that key. */
export interface Repeated {
  readonly key: ClientKeyRecord
  readonly older: readonly StoredToken[]
}

/**
 * Plans to repeat a request: the token of the lost reply is revoked, and the new one takes its place. Null if the
 * request is new. Throws IdempotencyKeyReused.
 */
export const repeatRequest = async (tx: KeyTx, request: TokenRequest): Promise<Plan<Repeated> | null> => {
  const { token, at } = request
  const earlier = await findEarlier(tx, request)
  const found = earlier === null ? null : await findWithTokens(tx, earlier.clientKeyId, request)
  if (earlier === null || found === null) return null
  const { clientKeyId: keyId, tokenDigest } = earlier
  const { key, tokens } = found
  const ended = tokens.map(other =>
    other.digest === tokenDigest ? { ...other, revokedAt: other.revokedAt ?? at } : other
  )
  const { kept, removed } = makeRoom(ended, at)
  const write = async (): Promise<void> => {
    await tx.keys.revokeToken(tokenDigest, at)
    await addToken(tx.keys, keyId, { token, at, removed })
    await tx.keys.updateIdempotencyRecord({ ...earlier, tokenDigest: token.digest })
    const changes = creation({ hint: token.hint, generation: token.generation })
    await auditKey(tx, 'replace_token', keyId, { ...request, changes })
  }
  return { keyId, result: { key, older: kept }, write }
}

const findWithTokens = async ({ keys }: KeyTx, id: string, occasion: Occasion) => {
  const [found, tokens] = await Promise.all([findToChange(keys, id, occasion), keys.tokens(id, { limit: MAX_TOKENS })])
  return found && { key: found.key, tokens }
}

const findEarlier = async (
  { keys }: KeyTx,
  { retryable, at }: Pick<TokenRequest, 'retryable' | 'at'>
): Promise<IdempotencyRecord | null> => {
  if (retryable === undefined) return null
  const { requester, keyHash, requestHash } = hashesOf(retryable)
  const earlier = await keys.findIdempotencyRecord(requester, keyHash)
  if (earlier === null || earlier.at <= forgottenAt(at)) return null
  if (earlier.requestHash !== requestHash) throw new IdempotencyKeyReused()
  return earlier
}

/** The instant at which, or before, the requests were made that are new if they are sent again. */
const forgottenAt = (at: Date): Date => new Date(at.getTime() - RETRY_WINDOW_MS)

/** Stores that a request was carried out, in case it is sent again. */
export const rememberRequest = async (
  { keys }: KeyTx,
  clientKeyId: string,
  { token, at, retryable }: TokenRequest
): Promise<void> => {
  if (retryable === undefined) return
  await keys.removeIdempotencyRecords(forgottenAt(at))
  await keys.insertIdempotencyRecord({ ...hashesOf(retryable), clientKeyId, tokenDigest: token.digest, at })
}
