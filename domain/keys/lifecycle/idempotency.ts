import { hash } from 'node:crypto'
import type { RequestContext } from '../../access/principal.ts'
import { creation } from '../../audits/audit.ts'
import { appendAudit } from '../../audits/service.ts'
import { IdempotencyKeyReused } from '../../errors.ts'
import type { ClientKeyRecord } from '../client-key.ts'
import { findToChange } from './changes.ts'
import type { IdempotencyRecord, NewToken } from '../rows.ts'
import { addToken } from './tokens.ts'
import type { KeyTx } from '../store.ts'

const RETRY_WINDOW_MS = 10 * 60_000

/** A request that may be sent again: who sent it, under which `Idempotency-Key`, and what it asked for. */
export interface RetryableRequest {
  readonly requester: string
  readonly idempotencyKey: string
  /** What was asked for, as text that is the same for the same request. */
  readonly request: string
}

/** A change of keys that makes a token, as one request asks for it. */
export interface TokenRequest {
  readonly token: NewToken
  readonly at: Date
  readonly context: RequestContext
  readonly retryable: RetryableRequest | undefined
}

const hashesOf = ({ requester, idempotencyKey, request }: RetryableRequest) => ({
  requester,
  keyHash: hash('sha256', idempotencyKey),
  requestHash: hash('sha256', request)
})

/**
 * Does a request again that was done before: the token of the lost reply is revoked, and the new one takes its place.
 * Answers the key; null where the request is new. Throws IdempotencyKeyReused.
 */
export const repeatRequest = async (
  tx: KeyTx,
  { token, at, context, retryable }: TokenRequest
): Promise<ClientKeyRecord | null> => {
  const earlier = retryable === undefined ? null : await findEarlier(tx, retryable, at)
  const found = earlier === null ? null : await findToChange(tx.keys, earlier.clientKeyId, context)
  if (earlier === null || found === null) return null
  const { id } = found.key
  await tx.keys.revokeToken(earlier.tokenDigest, at)
  await addToken(tx.keys, id, token, at)
  await tx.keys.saveIdempotencyRecord({ ...earlier, tokenDigest: token.digest })
  await appendAudit(tx.audits, {
    at,
    source: context,
    action: 'client_key.replace_token',
    subject: { type: 'client_key', id },
    changes: creation({ hint: token.hint, generation: token.generation })
  })
  return found.key
}

const findEarlier = async (
  { keys }: KeyTx,
  retryable: RetryableRequest,
  at: Date
): Promise<IdempotencyRecord | null> => {
  await keys.removeIdempotencyRecords(new Date(at.getTime() - RETRY_WINDOW_MS))
  const { requester, keyHash, requestHash } = hashesOf(retryable)
  const earlier = await keys.findIdempotencyRecord(requester, keyHash)
  if (earlier !== null && earlier.requestHash !== requestHash) throw new IdempotencyKeyReused()
  return earlier
}

/** Remembers that a request was done, for the case that it is sent again. */
export const rememberRequest = async (
  { keys }: KeyTx,
  clientKeyId: string,
  { token, at, retryable }: TokenRequest
): Promise<void> => {
  if (retryable === undefined) return
  await keys.saveIdempotencyRecord({ ...hashesOf(retryable), clientKeyId, tokenDigest: token.digest, at })
}
