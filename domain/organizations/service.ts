import type { Transactor } from '../transactor.ts'
import { createOrganizationChanges } from './changes.ts'
import type { OrganizationChanges } from './changes.ts'
import { createMemberChanges } from './members.ts'
import type { MemberChanges } from './members.ts'
import { createOrganizationQueries } from './queries.ts'
import type { OrganizationQueries } from './queries.ts'

/**
 * The operations on organizations and their members.
 *
 * Each function checks the permissions of the principal in `context`. It throws OrganizationNotFound if the
 * organization doesn't exist or the requesting user may not see it, and Forbidden if they may not change it. Client
 * keys and the operator bypass these checks. Each change is one transaction, which includes its audit entries.
 */
export interface OrganizationService extends OrganizationQueries, OrganizationChanges, MemberChanges {}

export const createOrganizationService = (transactor: Transactor): OrganizationService => ({
  ...createOrganizationQueries(transactor),
  ...createOrganizationChanges(transactor),
  ...createMemberChanges(transactor)
})
