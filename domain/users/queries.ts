import { setImmediate } from 'node:timers/promises'
import type { RequestContext } from '../access/principal.ts'
import { Forbidden, UserNotFound } from '../errors.ts'
import type { Transactor } from '../transactor.ts'
import type { Account, UserFilter, UserGrant, UserReads } from './rows.ts'
import type { User } from './user.ts'

/** The number of grants that are read at a time. The event loop gets a turn after each batch. */
const WINDOW = 1000

/** The functions that read users: see `UserService`. */
export interface UserQueries {
  readonly find: (id: number) => Promise<User>
  /** Returns the account with an e-mail address, which must be in lower case, or null if there is none. */
  readonly findAccount: (email: string) => Promise<Account | null>
  /** Returns the users that pass the filter, ordered by id, at most `limit`, after the id `after`. */
  readonly page: (
    page: { readonly limit: number; readonly after: number },
    filter?: UserFilter
  ) => Promise<{ users: User[]; more: boolean }>
  /**
   * Returns the grants of a user, ordered by app id. Discarded apps are omitted. Throws Forbidden if the requesting
   * user is neither this user nor an administrator.
   */
  readonly grants: (id: number, context: RequestContext) => Promise<UserGrant[]>
}

/** Creates the functions that read users. */
export const createUserQueries = ({ read }: Pick<Transactor<{ users: UserReads }>, 'read'>): UserQueries => {
  const find = async (id: number): Promise<User> => {
    const user = await read(async ({ users }) => await users.find(id))
    if (user === null) throw new UserNotFound()
    return user
  }

  return {
    find,

    findAccount: async email => await read(async ({ users }) => await users.findAccountByEmail(email)),

    page: async ({ limit, after }, filter) => {
      const found = await read(async ({ users }) => await users.page({ limit: limit + 1, after }, filter))
      return { users: found.slice(0, limit), more: found.length > limit }
    },

    grants: async (id, context) => {
      if (!maySeeGrants(id, context)) throw new Forbidden()
      await find(id)
      const all: UserGrant[] = []
      for (;;) {
        const page = { limit: WINDOW, after: all.at(-1)?.appId, includeDiscarded: false }
        const found = await read(async ({ users }) => await users.grants(id, page))
        all.push(...found)
        if (found.length < WINDOW) return all
        await setImmediate()
      }
    }
  }
}

const maySeeGrants = (id: number, { principal }: RequestContext): boolean =>
  principal?.kind !== 'user' || principal.user.id === id || principal.user.role === 'admin'
