import { userIdOf } from '../access/principal.ts'
import type { RequestContext } from '../access/principal.ts'
import { mayAdministerOrganization, maySeeOrganization } from '../access/rules.ts'
import { Forbidden, OrganizationNotFound } from '../errors.ts'
import type { Organization } from './organization.ts'
import type { OrganizationReads } from './rows.ts'

type Reads = Pick<OrganizationReads, 'find' | 'roleOf'>

/** Returns an organization. Throws OrganizationNotFound if it doesn't exist or the requesting user may not see it. */
export const findVisible = async (organizations: Reads, id: number, context: RequestContext): Promise<Organization> => {
  const found = await organizations.find(id)
  const userId = userIdOf(context)
  if (found === null || (userId !== null && !maySeeOrganization(await organizations.roleOf(id, userId)))) {
    throw new OrganizationNotFound()
  }
  return found
}

/** Like `findVisible`, but also throws Forbidden if the requesting user may not change the organization. */
export const findAuthorized = async (
  organizations: Reads,
  id: number,
  context: RequestContext
): Promise<Organization> => {
  const found = await findVisible(organizations, id, context)
  const userId = userIdOf(context)
  if (userId !== null && !mayAdministerOrganization(await organizations.roleOf(id, userId))) throw new Forbidden()
  return found
}
