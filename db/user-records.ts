import { sql } from 'drizzle-orm'
import type { SQL } from 'drizzle-orm'
import type { Account, UserReads } from '../domain/users/rows.ts'
import type { User } from '../domain/users/user.ts'
import { toDate } from './instants.ts'

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

/** Creates the look-ups of accounts from a function that takes a condition on the table of users. */
export const createAccountReads = (
  findAccount: (condition: SQL) => Promise<Account | null>
): Pick<UserReads, 'find' | 'findAccount' | 'findAccountByEmail'> => {
  const hasId = (id: number): SQL => sql`users.id = ${id}`
  return {
    find: async id => (await findAccount(hasId(id)))?.user ?? null,
    findAccount: async id => await findAccount(hasId(id)),
    // `lower` converts only ASCII letters. SQLite always does so, and PostgreSQL does because of the collation.
    findAccountByEmail: async email => await findAccount(sql`lower(users.email) = ${email}`)
  }
}
