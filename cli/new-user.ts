import { randomBytes } from 'node:crypto'
import { createPasswordHasher, passwordIssues } from '../domain/users/passwords.ts'
import type { User } from '../domain/users/user.ts'
import { CommandError } from './failures.ts'
import type { Terminal } from './terminal.ts'
import { withUsers } from './users.ts'

const PASSWORD_BYTES = 18

/** Generates a random password. */
export const newPassword = (): string => randomBytes(PASSWORD_BYTES).toString('base64url')

/** Reads a password from standard input. Returns an empty string if there is none. */
export const readPassword = async (terminal: Terminal): Promise<string> =>
  (await terminal.readInput()).replace(/\r?\n$/, '')

/** Throws a CommandError if the password is too weak. */
export const refuseWeakPassword = async (
  password: string,
  about: Parameters<typeof passwordIssues>[1]
): Promise<void> => {
  const issues = await passwordIssues(password, about)
  if (issues.length > 0) throw new CommandError(issues.join('\n'))
}

/** Creates a user with the given password. Throws a DomainError if the user can't be created. */
export const createUser = async (
  terminal: Terminal,
  password: string,
  user: Pick<User, 'name' | 'email' | 'role'>
): Promise<User> =>
  await withUsers(terminal, async (users, context) => {
    const passwordHash = await createPasswordHasher().hash(password)
    return await users.create({ ...user, passwordHash }, context)
  })
