import type { RequestContext } from '../../access/principal.ts'
import { creation, differences } from '../../audits/audit.ts'
import type { Changes } from '../../audits/audit.ts'
import { appendAudit } from '../../audits/service.ts'
import { ClientKeyNameTaken, ClientKeyRevoked } from '../../errors.ts'
import type { ClientKey, ClientKeyRecord, KeyChange, Policy } from '../client-key.ts'
import { currentBoundary, refuseBeyondBoundary } from '../policy/permission-boundary.ts'
import type { KeyRows, Revocation } from '../rows.ts'
import type { KeyTx } from '../store.ts'

/** What an audit entry tells of a key. */
export const auditedKey = (key: ClientKeyRecord): Record<string, unknown> => {
  const { rateLimit } = key
  return {
    name: key.name,
    scopes: key.scopes,
    expires_at: key.expiresAt,
    enabled: key.enabled,
    allowed_ips: key.allowedIps,
    rate_limit: rateLimit === null ? null : { max: rateLimit.max, window_seconds: rateLimit.windowSeconds },
    description: key.description,
    metadata: JSON.parse(key.metadata)
  }
}

/** Appends the audit entry of a change of a key. */
export const auditKey = async (
  { audits }: KeyTx,
  verb: string,
  id: string,
  { at, context, changes }: { at: Date; context: RequestContext; changes: Changes }
): Promise<void> => {
  await appendAudit(audits, {
    at,
    source: context,
    action: `client_key.${verb}`,
    subject: { type: 'client_key', id },
    changes
  })
}

/**
 * The key that a change is about, and what bounds who asks for it; null where there is no such key. Throws
 * ClientKeyRevoked, and BeyondPermissionBoundary where the key itself exceeds the boundary.
 */
export const findToChange = async (
  keys: KeyRows,
  id: string,
  context: RequestContext
): Promise<{ key: ClientKeyRecord; boundary: Policy | null } | null> => {
  const boundary = await currentBoundary(keys, context)
  const key = await keys.find(id)
  if (key === null) return null
  refuseBeyondBoundary(boundary, key)
  if (key.revokedAt !== null) throw new ClientKeyRevoked()
  return { key, boundary }
}

export const refuseTakenName = async (keys: KeyRows, name: string): Promise<void> => {
  if ((await keys.findByName(name)) !== null) throw new ClientKeyNameTaken()
}

/** Changes a key; null where there is none. */
export const changeKey = async (
  tx: KeyTx,
  id: string,
  change: KeyChange,
  context: RequestContext
): Promise<ClientKeyRecord | null> => {
  const found = await findToChange(tx.keys, id, context)
  if (found === null) return null
  const after = { ...found.key, ...change }
  refuseBeyondBoundary(found.boundary, after)
  if (after.name !== found.key.name) await refuseTakenName(tx.keys, after.name)
  const changes = differences(auditedKey(found.key), auditedKey(after))
  if (Object.keys(changes).length === 0) return found.key
  await tx.keys.update(id, change)
  await auditKey(tx, 'change', id, { at: new Date(), context, changes })
  return after
}

/** Revokes a key, once: the first revocation and its reason stay. Null where there is no such key. */
export const revokeKey = async (
  tx: KeyTx,
  id: string,
  { at, reason }: Revocation,
  context: RequestContext
): Promise<ClientKeyRecord | null> => {
  const key = await tx.keys.find(id)
  if (key === null) return null
  refuseBeyondBoundary(await currentBoundary(tx.keys, context), key)
  if (key.revokedAt !== null) return key
  await tx.keys.revoke(id, { at, reason })
  await auditKey(tx, 'revoke', id, { at, context, changes: creation({ revoked_reason: reason }) })
  return { ...key, revokedAt: at, revokedReason: reason }
}

export const revokeEnvironmentKey = async (
  tx: KeyTx,
  { key, digest }: { key: ClientKey; digest: string },
  { at, reason }: Revocation,
  context: RequestContext
): Promise<void> => {
  refuseBeyondBoundary(await currentBoundary(tx.keys, context), key)
  if (!(await tx.keys.revokeEnvironmentKey(digest, { at, reason }))) return
  await auditKey(tx, 'revoke', key.id, { at, context, changes: creation({ revoked_reason: reason }) })
}
