import { creation } from '../../audits/audit.ts'
import { ClientKeyNameTaken } from '../../errors.ts'
import type { ClientKeyRecord, TokenRecord } from '../client-key.ts'
import { currentBoundary, refuseBeyondBoundary } from '../policy/permission-boundary.ts'
import { refuseUnknownScopes } from '../policy/scope-check.ts'
import type { FindUnknownScopes } from '../policy/scope-check.ts'
import type { NewClientKey, StoredToken } from '../rows.ts'
import type { KeyTx } from '../store.ts'
import { auditKey, auditedKey, findToChange } from './changes.ts'
import { rememberRequest, repeatRequest } from './idempotency.ts'
import type { TokenRequest } from './idempotency.ts'
import { planned } from './plan.ts'
import type { Plan } from './plan.ts'
import { addToken, makeRoom, MAX_TOKENS, withoutDigest } from './tokens.ts'

/** A request to issue a key, and the function that finds which of its scopes don't exist. */
export interface IssueRequest extends TokenRequest {
  readonly findUnknownScopes: FindUnknownScopes
}

/**
 * Plans the creation of a key and its first token. If the request is a retry, the plan is for the key that was already
 * created.
 */
export const issueKey = async (tx: KeyTx, key: NewClientKey, request: IssueRequest): Promise<Plan<ClientKeyRecord>> => {
  const { token, at } = request
  const [boundary, repeated, taken, unknown] = await Promise.all([
    currentBoundary(tx.keys, request),
    repeatRequest(tx, request),
    tx.keys.findByName(key.name),
    request.findUnknownScopes(key.scopes, tx.services)
  ])
  // This comes first, so that requesters don't learn which of the scopes that they lack exist.
  refuseBeyondBoundary(boundary, key)
  if (repeated !== null) return planned(repeated, result => result.key)
  refuseUnknownScopes(unknown)
  if (taken !== null) throw new ClientKeyNameTaken()
  const write = async (): Promise<void> => {
    await tx.keys.insert(key)
    await tx.keys.insertToken(key.id, token, at)
    await rememberRequest(tx, key.id, request)
    const changes = creation({ ...auditedKey(key), hint: token.hint, generation: token.generation })
    await auditKey(tx, 'issue', key.id, { ...request, changes })
  }
  return { keyId: key.id, result: key, write }
}

/** A rotated key, and its older tokens. */
export interface RotatedKey {
  readonly key: ClientKeyRecord
  readonly older: readonly TokenRecord[]
}

/**
 * Plans a new token for a key. The older tokens expire after at most `graceSeconds`. If that is 0, they are also
 * revoked. If the request is a retry, the deadlines that were set by the first attempt stay unchanged. Returns null if
 * the key doesn't exist.
 */
export const rotateKey = async (
  tx: KeyTx,
  id: string,
  graceSeconds: number,
  request: TokenRequest
): Promise<Plan<RotatedKey> | null> => {
  const [repeated, found, tokens] = await Promise.all([
    repeatRequest(tx, request),
    findToChange(tx.keys, id, request),
    tx.keys.tokens(id, { limit: MAX_TOKENS })
  ])
  if (repeated !== null) return planned(repeated, ({ key, older }) => ({ key, older: older.map(withoutDigest) }))
  if (found === null) return null
  const { token, at } = request
  const deadline = new Date(at.getTime() + graceSeconds * 1000)
  // Unlike an expired token, a revoked token is refused even if a clock is wrong.
  const isNow = graceSeconds === 0
  const { kept, removed } = makeRoom(
    tokens.map(older => ended(older, deadline, isNow ? at : null)),
    at
  )
  const write = async (): Promise<void> => {
    await tx.keys.expireTokens(id, deadline)
    if (isNow) await tx.keys.revokeTokens(id, at)
    await addToken(tx.keys, id, { token, at, removed })
    await rememberRequest(tx, id, request)
    const { hint, generation } = token
    const changes = creation({ hint, generation, older_tokens_expire_at: deadline.toISOString() })
    await auditKey(tx, 'rotate', id, { ...request, changes })
  }
  return { keyId: id, result: { key: found.key, older: kept.map(withoutDigest) }, write }
}

const ended = (token: StoredToken, deadline: Date, revokedAt: Date | null): StoredToken => ({
  ...token,
  expiresAt: token.expiresAt === null || token.expiresAt > deadline ? deadline : token.expiresAt,
  revokedAt: token.revokedAt ?? revokedAt
})
