import type { RequestContext } from '../../access/principal.ts'
import { creation } from '../../audits/audit.ts'
import { appendAudit } from '../../audits/service.ts'
import { ALL_KEYS } from '../freshness/lease-store.ts'
import type { Position } from '../freshness/lease-store.ts'
import type { RevokedOwner } from '../freshness/receipt.ts'
import { currentBoundary, refuseBeyondBoundary } from '../policy/permission-boundary.ts'
import type { KeyStore, KeyTx } from '../store.ts'
import type { Occasion } from './changes.ts'
import type { Confirmed } from './writes.ts'

/** The functions that change all keys of an owner: see `KeyService`. */
export interface OwnerLifecycle {
  /**
   * Revokes all keys of an owner that aren't revoked, in one transaction. Repeating it revokes no key, and its receipt
   * also proves that earlier revocations are in effect. Throws BeyondPermissionBoundary, and revokes nothing, if one of
   * the keys exceeds the permission boundary of the requester. Throws NodesOutdated.
   */
  revokeOwner: (owner: string, reason: string | null, context: RequestContext) => Promise<RevokedOwner>
}

export interface OwnerLifecycleOptions {
  readonly store: KeyStore
  readonly confirmed: Confirmed
}

/** Creates the functions that change all keys of an owner. */
export const createOwnerVerbs = ({ store, confirmed }: OwnerLifecycleOptions): OwnerLifecycle => ({
  revokeOwner: async (owner, reason, context) => {
    // A refusal is found before many rows are written.
    await store.read(async ({ keys, now }) => {
      const boundary = await currentBoundary(keys, { at: now(), context })
      if (boundary === null) return
      for (const policy of await keys.policiesOfOwner(owner)) refuseBeyondBoundary(boundary, policy)
    })
    const { position, result } = await store.write(
      async tx => await revokeKeysOf(tx, owner, reason, { at: tx.now(), context }),
      { isBulk: true }
    )
    const { result: count, ...known } = await confirmed({ at: await position, result })
    return { owner, count, ...known }
  }
})

/** Revokes the keys of an owner, and returns their number. Appends no audit entry if there are none. */
const revokeKeysOf = async (
  { keys, audits }: KeyTx,
  owner: string,
  reason: string | null,
  { at, context }: Occasion
): Promise<{ position: Promise<Position>; result: number }> => {
  const boundary = await currentBoundary(keys, { at, context })
  const { position } = await keys.advanceRevision(ALL_KEYS)
  const { count, policies } = await keys.revokeOwner(owner, { at, reason })
  // These are the policies that the keys had when they were revoked, so no concurrent change is missed.
  for (const policy of policies) refuseBeyondBoundary(boundary, policy)
  if (count > 0) {
    await appendAudit(audits, {
      at,
      source: context,
      action: 'client_key.revoke_owner',
      subject: { type: 'client_key_owner', id: owner },
      changes: creation({ revoked_reason: reason, keys: count })
    })
  }
  return { position, result: count }
}
