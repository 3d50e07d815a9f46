import type { RequestContext } from '../../access/principal.ts'
import { creation, differences } from '../../audits/audit.ts'
import type { Changes } from '../../audits/audit.ts'
import { appendAudit } from '../../audits/service.ts'
import { ClientKeyNameTaken, ClientKeyRevoked } from '../../errors.ts'
import type { ClientKey, ClientKeyRecord, KeyChange, Policy } from '../client-key.ts'
import { currentBoundary, refuseBeyondBoundary } from '../policy/permission-boundary.ts'
import { refuseUnknownScopes } from '../policy/scope-check.ts'
import type { FindUnknownScopes } from '../policy/scope-check.ts'
import type { KeyRows } from '../rows.ts'
import type { KeyTx } from '../store.ts'
import type { Plan } from './plan.ts'

/** Returns the fields of a key that are recorded in the audit trail. */
export const auditedKey = (key: ClientKeyRecord): Record<string, unknown> => {
  const { rateLimit } = key
  return {
    name: key.name,
    owner: key.owner,
    scopes: key.scopes,
    expires_at: key.expiresAt,
    enabled: key.enabled,
    allowed_ips: key.allowedIps,
    rate_limit: rateLimit === null ? null : { max: rateLimit.max, window_seconds: rateLimit.windowSeconds },
    description: key.description,
    metadata: key.metadata
  }
}

/** The time of a change, and the context of the request that caused it. */
export interface Occasion {
  readonly at: Date
  readonly context: RequestContext
}

/** Appends the audit entry for a change to a key. */
export const auditKey = async (
  { audits }: KeyTx,
  verb: string,
  id: string,
  { at, context, changes }: Occasion & { readonly changes: Changes }
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
 * Returns the key to change and the requester's permission boundary, or null if the key doesn't exist. Throws
 * ClientKeyRevoked if the key has been revoked, and BeyondPermissionBoundary if it exceeds the boundary.
 */
export const findToChange = async (
  keys: KeyRows,
  id: string,
  occasion: Occasion
): Promise<{ key: ClientKeyRecord; boundary: Policy | null } | null> => {
  const [boundary, key] = await Promise.all([currentBoundary(keys, occasion), keys.find(id)])
  if (key === null) return null
  refuseBeyondBoundary(boundary, key)
  if (key.revokedAt !== null) throw new ClientKeyRevoked()
  return { key, boundary }
}

/** An occasion on which scopes may be given, and the function that finds which of them don't exist. */
export interface ChangeOccasion extends Occasion {
  readonly findUnknownScopes: FindUnknownScopes
}

/** Plans a change to a key. Returns null if the key doesn't exist. */
export const changeKey = async (
  tx: KeyTx,
  id: string,
  change: KeyChange,
  occasion: ChangeOccasion
): Promise<Plan<ClientKeyRecord> | null> => {
  const { name, scopes = [] } = change
  const [found, namesake, unknown] = await Promise.all([
    findToChange(tx.keys, id, occasion),
    name === undefined ? null : tx.keys.findByName(name),
    occasion.findUnknownScopes(scopes, tx.services)
  ])
  if (found === null) return null
  const after = { ...found.key, ...change }
  // This comes first, so that requesters don't learn which of the scopes that they lack exist.
  refuseBeyondBoundary(found.boundary, after)
  refuseUnknownScopes(unknown)
  if (namesake !== null && namesake.id !== id) throw new ClientKeyNameTaken()
  const changes = differences(auditedKey(found.key), auditedKey(after))
  const write = async (): Promise<void> => {
    if (Object.keys(changes).length === 0) return
    await tx.keys.update(id, change)
    await auditKey(tx, 'change', id, { ...occasion, changes })
  }
  return { keyId: id, result: after, write }
}

/**
 * Plans the revocation of a key. If the key is already revoked, the time and the reason stay unchanged. Returns null if
 * the key doesn't exist.
 */
export const revokeKey = async (
  tx: KeyTx,
  id: string,
  reason: string | null,
  occasion: Occasion
): Promise<Plan<ClientKeyRecord> | null> => {
  const [boundary, key] = await Promise.all([currentBoundary(tx.keys, occasion), tx.keys.find(id)])
  if (key === null) return null
  refuseBeyondBoundary(boundary, key)
  if (key.revokedAt !== null) return { keyId: id, result: key, write: async () => {} }
  const { at } = occasion
  const write = async (): Promise<void> => {
    await tx.keys.revoke(id, { at, reason })
    await auditKey(tx, 'revoke', id, { ...occasion, changes: creation({ revoked_reason: reason }) })
  }
  return { keyId: id, result: { ...key, revokedAt: at, revokedReason: reason }, write }
}

/**
 * Plans the revocation of an environment key. If the key is already revoked, the time and the reason stay unchanged.
 */
export const revokeEnvironmentKey = async (
  tx: KeyTx,
  { key, digest }: { key: ClientKey; digest: string },
  reason: string | null,
  occasion: Occasion
): Promise<Plan<null>> => {
  const [boundary, revokedAt] = await Promise.all([currentBoundary(tx.keys, occasion), tx.keys.findRevocation(digest)])
  refuseBeyondBoundary(boundary, key)
  const write = async (): Promise<void> => {
    if (revokedAt !== null) return
    await tx.keys.revokeEnvironmentKey(digest, { at: occasion.at, reason })
    await auditKey(tx, 'revoke', key.id, { ...occasion, changes: creation({ revoked_reason: reason }) })
  }
  return { keyId: key.id, result: null, write }
}
