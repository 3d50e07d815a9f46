import { setImmediate } from 'node:timers/promises'
import type { RequestContext } from '../access/principal.ts'
import { Forbidden, UserNotFound } from '../errors.ts'
import type { Transactor } from '../transactor.ts'
import type { Account, UserFilter, UserGrant, UserReads } from './rows.ts'
import type { User } from './user.ts'

/** The number of grants that are read at a time. The event loop runs between batches. */
const GRANTS = 1000

/** The number of apps for which a user's permissions are read at a time. */
const PERMITTED_APPS = 5000

/** The functions that read users: see `UserService`. */
export interface UserQueries {
  readonly find: (id: number) => Promise<User>
  /** Returns the account with the given e-mail address, which must be in lower case, or null if there is none. */
  readonly findAccount: (email: string) => Promise<Account | null>
  /** Returns at most `limit` users that match the filter, with ids greater than `after`, ordered by id. */
  readonly page: (
    page: { readonly limit: number; readonly after: number },
    filter?: UserFilter
  ) => Promise<{ users: User[]; more: boolean }>
  /**
   * Returns a user's grants, ordered by app id. Omits discarded apps. Throws Forbidden if the requesting user is
   * neither this user nor an administrator.
   */
  readonly grants: (id: number, context: RequestContext) => Promise<UserGrant[]>
  /**
   * Like `grants`, but also includes the permissions that the user has as the owner of apps, or as an admin of an
   * organization that owns apps.
   */
  readonly permissions: (id: number, context: RequestContext) => Promise<UserGrant[]>
}

/** Creates the functions that read users. */
export const createUserQueries = ({ read }: Pick<Transactor<{ users: UserReads }>, 'read'>): UserQueries => {
  const find = async (id: number): Promise<User> => {
    const user = await read(async ({ users }) => await users.find(id))
    if (user === null) throw new UserNotFound()
    return user
  }

  const requireVisible = async (id: number, context: RequestContext): Promise<void> => {
    if (!maySeeGrants(id, context)) throw new Forbidden()
    await find(id)
  }

  return {
    find,

    findAccount: async email => await read(async ({ users }) => await users.findAccountByEmail(email)),

    page: async ({ limit, after }, filter) => {
      const found = await read(async ({ users }) => await users.page({ limit: limit + 1, after }, filter))
      return { users: found.slice(0, limit), more: found.length > limit }
    },

    grants: async (id, context) => {
      await requireVisible(id, context)
      return await readAll(GRANTS, async page => {
        return await read(async ({ users }) => await users.grants(id, { ...page, includeDiscarded: false }))
      })
    },

    permissions: async (id, context) => {
      await requireVisible(id, context)
      return await readAll(PERMITTED_APPS, async page => {
        return await read(async ({ users }) => await users.permittedApps(id, page))
      })
    }
  }
}

type ReadPage = (page: { readonly limit: number; readonly after: number | undefined }) => Promise<UserGrant[]>

const readAll = async (limit: number, readPage: ReadPage): Promise<UserGrant[]> => {
  const all: UserGrant[] = []
  for (;;) {
    const found = await readPage({ limit, after: all.at(-1)?.appId })
    all.push(...found)
    if (found.length < limit) return all
    await setImmediate()
  }
}

const maySeeGrants = (id: number, { principal }: RequestContext): boolean =>
  principal?.kind !== 'user' || principal.user.id === id || principal.user.role === 'admin'
