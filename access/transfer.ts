import type { FastifyRequest } from 'fastify'
import type { Owner } from '../apps/app.ts'
import type { OrganizationStore } from '../organizations/store.ts'
import { covers } from '../keys/scopes.ts'
import { Forbidden, InsufficientScope } from '../problems/table.ts'
import { askerOf, principalOf } from './principal.ts'

/**
 * Throws where the apps of who is deleted may not go to an owner: a client key needs the scope for it, and an administrator, whose
 * role gives no power over the apps of others, does not get them that way.
 */
export const refuseTransfer = async (request: FastifyRequest, to: Owner, organizations: OrganizationStore): Promise<void> => {
  const principal = principalOf(request)
  if (principal.kind === 'client_key') {
    if (!covers(principal.key.scopes, 'apps:write')) throw new InsufficientScope('apps:write')
    return
  }
  const isOwn = to.type === 'User' ? to.id === principal.user.id : await organizations.find(to.id, askerOf(request)) !== null
  if (isOwn) throw new Forbidden()
}
