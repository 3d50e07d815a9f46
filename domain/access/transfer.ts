import type { Owner } from '../apps/app.ts'
import type { OrganizationStore } from '../organizations/store.ts'
import { covers } from '../keys/scopes.ts'
import { Forbidden, InsufficientScope } from '../errors.ts'
import { askerOf, principalOf } from './principal.ts'
import type { Principal } from './principal.ts'

/** Throws `InsufficientScope` where a client key may delete an owner of apps, but not give the apps to another. */
export const refuseKeyWithoutApps = (principal: Principal): void => {
  if (principal.kind === 'client_key' && !covers(principal.key.scopes, 'apps:write')) {
    throw new InsufficientScope('apps:write')
  }
}

/**
 * Throws where the apps of a user who is deleted may not go to an owner: a client key needs the scope for it, and an
 * administrator, whose role gives no power over the apps of others, does not get them that way.
 */
export const refuseTransfer = async (
  request: Parameters<typeof askerOf>[0],
  to: Owner,
  organizations: OrganizationStore
): Promise<void> => {
  const principal = principalOf(request)
  refuseKeyWithoutApps(principal)
  if (principal.kind === 'client_key') return
  const isOwn =
    to.type === 'User' ? to.id === principal.user.id : (await organizations.find(to.id, askerOf(request))) !== null
  if (isOwn) throw new Forbidden()
}
