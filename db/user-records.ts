import { and, sql } from 'drizzle-orm'
import type { SQL } from 'drizzle-orm'
import type { Account, UserFilter, UserReads } from '../domain/users/rows.ts'
import type { User } from '../domain/users/user.ts'
import { toDate } from './timestamps.ts'

/** The columns of a user. Every engine returns them in this format. */
export interface UserRow extends Omit<User, 'createdAt'> {
  readonly createdAt: string
  readonly updatedAt: string
  readonly passwordHash: string | null
}

export const toUser = ({ passwordHash, updatedAt, createdAt, ...user }: UserRow): User => ({
  ...user,
  createdAt: toDate(createdAt)
})

export const toAccount = (row: UserRow | undefined): Account | null =>
  row === undefined ? null : { user: toUser(row), passwordHash: row.passwordHash }

// PostgreSQL can't infer the parameter's type here, so it's cast.
const startsWith = (column: SQL, prefix: string): SQL =>
  sql`substr(${column}, 1, length(cast(${prefix} as text))) = cast(${prefix} as text)`

/** Returns the condition for users that pass the filter, in SQL that both engines accept. */
export const matchesUserFilter = (filter: UserFilter = {}): SQL | undefined => {
  const { role, accountLocked, namePrefix, emailPrefix } = filter
  return and(
    role === undefined ? undefined : sql`users.role = ${role}`,
    accountLocked === undefined ? undefined : accountLocked ? sql`users.account_locked` : sql`not users.account_locked`,
    namePrefix === undefined ? undefined : startsWith(sql`users.name`, namePrefix),
    emailPrefix === undefined ? undefined : startsWith(sql`lower(users.email)`, emailPrefix)
  )
}

/** Creates the account lookups from a function that finds an account by a condition on the table `users`. */
export const createAccountReads = (
  findAccount: (condition: SQL) => Promise<Account | null>
): Pick<UserReads, 'find' | 'findAccount' | 'findAccountByEmail'> => {
  const hasId = (id: number): SQL => sql`users.id = ${id}`
  return {
    find: async id => (await findAccount(hasId(id)))?.user ?? null,
    findAccount: async id => await findAccount(hasId(id)),
    // `lower` converts only ASCII letters: always in SQLite, and because of the collation in PostgreSQL.
    findAccountByEmail: async email => await findAccount(sql`lower(users.email) = ${email}`)
  }
}
