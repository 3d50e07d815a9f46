import { UserNotFound } from '../errors.ts'
import type { OrganizationRole } from '../access/rules.ts'
import type { OrganizationReads } from '../organizations/rows.ts'
import type { Transactor } from '../transactor.ts'
import type { User } from './user.ts'

/** The maximum number of organizations, and of apps, that an overview lists. */
const MAX_NAMED = 1000

/** A user with their organizations, apps, sessions and grants. */
export interface UserOverview {
  readonly user: User
  /** Whether the user has a password. A user without one can't sign in. */
  readonly hasPassword: boolean
  /** The number of sessions that haven't expired. */
  readonly sessions: number
  /** At most 1000 of the user's organizations. */
  readonly organizations: readonly { readonly id: number; readonly name: string; readonly role: OrganizationRole }[]
  /** The names of at most 1000 apps that the user owns. Excludes discarded apps. */
  readonly apps: readonly string[]
  readonly deletedApps: number
  /** The number of permissions that the user has been granted, across all apps. */
  readonly grants: number
}

/** The function that reads an overview of a user: see `UserService`. */
export interface UserOverviews {
  /** Returns an overview of a user. Throws UserNotFound if the user doesn't exist. */
  readonly overview: (id: number) => Promise<UserOverview>
}

/** Creates the function that reads an overview of a user. */
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
    // The organization may have been deleted after the memberships were read.
    const organization = [await organizations.find(organizationId)].filter(each => each !== null)
    found.push(...organization.map(({ id, name }) => ({ id, name, role })))
  }
  return found
}
