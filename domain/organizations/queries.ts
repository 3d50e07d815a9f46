import { userIdOf } from '../access/principal.ts'
import type { RequestContext } from '../access/principal.ts'
import type { Transactor } from '../transactor.ts'
import { findAuthorized, findVisible } from './access.ts'
import type { Member, Organization } from './organization.ts'
import type { OrganizationReads } from './rows.ts'

/** The functions that read organizations: see `OrganizationService`. */
export interface OrganizationQueries {
  /** Returns at most `limit` organizations that the principal may see, with ids greater than `after`, ordered by id. */
  readonly page: (
    page: { readonly limit: number; readonly after: number },
    context: RequestContext
  ) => Promise<{ organizations: Organization[]; more: boolean }>
  /** Returns an organization and its members, ordered by user id. */
  readonly find: (id: number, context: RequestContext) => Promise<{ organization: Organization; members: Member[] }>
  /** Throws if the principal may not administer the organization. */
  readonly requireAdministrator: (id: number, context: RequestContext) => Promise<void>
}

/** Creates the functions that read organizations. */
export const createOrganizationQueries = ({
  read
}: Pick<Transactor<{ organizations: OrganizationReads }>, 'read'>): OrganizationQueries => ({
  page: async ({ limit, after }, context) => {
    const page = { limit: limit + 1, after, userId: userIdOf(context) }
    const found = await read(async ({ organizations }) => await organizations.page(page))
    return { organizations: found.slice(0, limit), more: found.length > limit }
  },

  find: async (id, context) =>
    await read(async ({ organizations }) => ({
      organization: await findVisible(organizations, id, context),
      members: await organizations.members(id)
    })),

  requireAdministrator: async (id, context) => {
    await read(async ({ organizations }) => await findAuthorized(organizations, id, context))
  }
})
