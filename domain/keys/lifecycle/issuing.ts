import { creation } from '../../audits/audit.ts'
import { auditKey, auditedKey, findToChange, refuseTakenName } from './changes.ts'
import type { ClientKeyRecord, TokenRecord } from '../client-key.ts'
import { rememberRequest, repeatRequest } from './idempotency.ts'
import type { TokenRequest } from './idempotency.ts'
import { currentBoundary, refuseBeyondBoundary } from '../policy/permission-boundary.ts'
import type { NewClientKey, NewToken } from '../rows.ts'
import { addToken, MAX_TOKENS } from './tokens.ts'
import type { KeyTx } from '../store.ts'

/** Stores a key with its first token; a request that is sent again gets the key that it made. */
export const issueKey = async (tx: KeyTx, key: NewClientKey, request: TokenRequest): Promise<ClientKeyRecord> => {
  const { token, at, context } = request
  refuseBeyondBoundary(await currentBoundary(tx.keys, context), key)
  const repeated = await repeatRequest(tx, request)
  if (repeated !== null) {
    // A token of that key was replaced; the revision was moved for the one that is not made.
    await tx.keys.advanceRevision(repeated.id)
    return repeated
  }
  await refuseTakenName(tx.keys, key.name)
  await tx.keys.insert(key)
  await tx.keys.insertToken(key.id, token, at)
  await rememberRequest(tx, key.id, request)
  const changes = creation({ ...auditedKey(key), hint: token.hint, generation: token.generation })
  await auditKey(tx, 'issue', key.id, { at, context, changes })
  return key
}

/**
 * Adds a token to a key; the older ones, which it answers, expire at `deadline` at the latest, and are revoked where
 * that is now. A request that is sent again keeps the deadlines of the first time. Null where there is no such key.
 */
export const rotateKey = async (
  tx: KeyTx,
  id: string,
  deadline: Date,
  request: TokenRequest
): Promise<{ key: ClientKeyRecord; older: TokenRecord[] } | null> => {
  const { token, at, context } = request
  const repeated = await repeatRequest(tx, request)
  if (repeated !== null) return { key: repeated, older: await olderTokens(tx, id, token) }
  const found = await findToChange(tx.keys, id, context)
  if (found === null) return null
  await tx.keys.expireTokens(id, deadline)
  // A deadline is told by the clock of each node, and a revocation by none.
  if (deadline <= at) await tx.keys.revokeTokens(id, at)
  await addToken(tx.keys, id, token, at)
  await rememberRequest(tx, id, request)
  const { hint, generation } = token
  const changes = creation({ hint, generation, older_tokens_expire_at: deadline.toISOString() })
  await auditKey(tx, 'rotate', id, { at, context, changes })
  return { key: found.key, older: await olderTokens(tx, id, token) }
}

const olderTokens = async ({ keys }: KeyTx, id: string, { digest }: NewToken): Promise<TokenRecord[]> =>
  await keys.tokens(id, { limit: MAX_TOKENS, exceptDigest: digest })
