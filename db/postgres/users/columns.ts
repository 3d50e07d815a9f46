import type { Account } from '../../../domain/users/rows.ts'
import type { User } from '../../../domain/users/user.ts'
import { toDate } from '../../instants.ts'
import type { users } from '../schema.ts'

type UserRow = typeof users.$inferSelect

export const toUser = ({ passwordHash, updatedAt, createdAt, ...user }: UserRow): User => ({
  ...user,
  createdAt: toDate(createdAt)
})

export const toAccount = (row: UserRow | undefined): Account | null =>
  row === undefined ? null : { user: toUser(row), passwordHash: row.passwordHash }
