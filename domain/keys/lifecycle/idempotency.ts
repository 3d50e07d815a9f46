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

/** A request that may be retried: its requester, its `Idempotency-Key` and its content. */
export interface RetryableRequest {
  readonly requester: string
  readonly idempotencyKey: string
  /** The content of the request, as a string that is the same for each retry. */
  readonly request: string
}

/** A request for a change that creates a token. */
export interface TokenRequest extends Occasion {
  readonly token: NewToken
  readonly retryable: RetryableRequest | undefined
}

const hashesOf = ({ requester, idempotencyKey, request }: RetryableRequest) => ({
  requester,
  keyHash: hash('sha256', idempotencyKey),
  requestHash: hash('sha256', request)
})

/** The key that a retried request issued or rotated, and the key's other tokens. */
export interface Repeated {
  readonly key: ClientKeyRecord
  readonly older: readonly StoredToken[]
}

/**
 * Plans the response to a retried request: the token in the lost response is revoked, and a new one replaces it.
 * Returns null if the request is new. Throws IdempotencyKeyReused if a different request used the `Idempotency-Key`.
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
  if (earlier === null || earlier.at <= expiredUntil(at)) return null
  if (earlier.requestHash !== requestHash) throw new IdempotencyKeyReused()
  return earlier
}

/** Returns the time up to which idempotency records have expired. A retry of such an old request counts as new. */
const expiredUntil = (at: Date): Date => new Date(at.getTime() - RETRY_WINDOW_MS)

/** Records that a request was carried out, in case it is retried. */
export const rememberRequest = async (
  { keys }: KeyTx,
  clientKeyId: string,
  { token, at, retryable }: TokenRequest
): Promise<void> => {
  if (retryable === undefined) return
  await keys.removeIdempotencyRecords(expiredUntil(at))
  await keys.insertIdempotencyRecord({ ...hashesOf(retryable), clientKeyId, tokenDigest: token.digest, at })
}
