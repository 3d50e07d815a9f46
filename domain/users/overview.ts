import { UserNotFound } from '../errors.ts'
import type { OrganizationRole } from '../access/rules.ts'
import type { OrganizationReads } from '../organizations/rows.ts'
import type { Transactor } from '../transactor.ts'
import type { User } from './user.ts'

/** At most this many organizations and apps of a user are named. */
const MAX_NAMED = 1000

/** A user with what belongs to them. */
export interface UserOverview {
  readonly user: User
  /** Whether a password is set; without one the user can't sign in. */
  readonly hasPassword: boolean
  /** How many sessions have not expired. */
  readonly sessions: number
  /** The first thousand. */
  readonly organizations: readonly { readonly id: number; readonly name: string; readonly role: OrganizationRole }[]
  /** The names of the first thousand apps that the user owns and that are not deleted. */
  readonly apps: readonly string[]
  readonly deletedApps: number
  /** How many permissions the user was granted, on all apps. */
  readonly grants: number
}

/** What shows a user as a whole: see `UserService`. */
export interface UserOverviews {
  readonly overview: (id: number) => Promise<UserOverview>
}

/** Makes the verb of the user service that shows a user with what belongs to them. */
export const createUserOverviews = ({ read }: Pick<Transactor, 'read'>): UserOverviews => ({
  overview: async id =>
    await read(async ({ users, organizations, apps, now }) => {
      const account = await users.findAccount(id)
      if (account === null) throw new UserNotFound()
      const owner = { type: 'User', id } as const
      return {
        user: account.user,
        hasPassword: account.passwordHash !== null,
        sessions: (await users.sessions(id, now())).length,
        organizations: await organizationsOf(organizations, id),
        apps: await apps.keptNames(owner, { limit: MAX_NAMED }),
        deletedApps: await apps.countDiscarded(owner),
        grants: await users.countGrants(id)
      }
    })
})

const organizationsOf = async (
  organizations: OrganizationReads,
  userId: number
): Promise<UserOverview['organizations'][number][]> => {
  const found: UserOverview['organizations'][number][] = []
  for (const { organizationId, role } of await organizations.memberships(userId, { limit: MAX_NAMED })) {
    // It may have been deleted since.
    const organization = [await organizations.find(organizationId)].filter(each => each !== null)
    found.push(...organization.map(({ id, name }) => ({ id, name, role })))
  }
  return found
}
