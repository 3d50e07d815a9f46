import type { Owner } from '../apps/app.ts'
import { Forbidden, InsufficientScope } from '../errors.ts'
import { covers } from '../keys/scopes.ts'
import type { OrganizationReads } from '../organizations/rows.ts'
import type { RequestContext } from './principal.ts'
import { maySeeOrganization } from './rules.ts'

/** Throws InsufficientScope where a client key may delete an owner of apps, but not give the apps to another. */
export const refuseKeyWithoutApps = ({ principal }: Pick<RequestContext, 'principal'>): void => {
  if (principal?.kind === 'client_key' && !covers(principal.key.scopes, 'apps:write')) {
    throw new InsufficientScope('apps:write')
  }
}

/**
 * Throws where the apps of a deleted user may not go to an owner: a client key needs the scope for it, and an
 * administrator, whose role gives no power over the apps of others, does not get them that way.
 */
export const refuseTransfer = async (
  organizations: Pick<OrganizationReads, 'roleOf'>,
  to: Owner,
  context: Pick<RequestContext, 'principal'>
): Promise<void> => {
  const { principal } = context
  refuseKeyWithoutApps(context)
  if (principal?.kind !== 'user') return
  const { id } = principal.user
  const isOwn = to.type === 'User' ? to.id === id : maySeeOrganization(await organizations.roleOf(to.id, id))
  if (isOwn) throw new Forbidden()
}
