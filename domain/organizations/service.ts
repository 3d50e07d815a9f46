import type { Transactor } from '../transactor.ts'
import { createOrganizationChanges } from './changes.ts'
import type { OrganizationChanges } from './changes.ts'
import { createMemberChanges } from './members.ts'
import type { MemberChanges } from './members.ts'
import { createOrganizationQueries } from './queries.ts'
import type { OrganizationQueries } from './queries.ts'

/**
 * Organizations and who belongs to them, and what may be done with them.
 *
 * Each verb is held to what the principal of its context may do. An organization that does not exist, or that the user
 * who asks may not see, is an OrganizationNotFound; one that the user may not change is Forbidden. Client keys and the
 * operator override that. Each change is one transaction, which writes its audit entries.
 */
export interface OrganizationService extends OrganizationQueries, OrganizationChanges, MemberChanges {}

export const createOrganizationService = (transactor: Transactor): OrganizationService => ({
  ...createOrganizationQueries(transactor),
  ...createOrganizationChanges(transactor),
  ...createMemberChanges(transactor)
})
