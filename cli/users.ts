import type { RequestContext } from '../domain/access/principal.ts'
import { createUserService } from '../domain/users/service.ts'
import type { UserService } from '../domain/users/service.ts'
import type { User } from '../domain/users/user.ts'
import { CommandError, UsageError } from './failures.ts'
import { operatorContext } from './operator.ts'
import { withStorage } from './storage.ts'
import type { Terminal } from './terminal.ts'

/** The argument of all commands that act on one user. */
export const USER_ARGUMENT = { name: 'user', help: 'the id or the e-mail address of the user' } as const

/** Opens the configured database, runs `work` with its users, and closes the database. */
export const withUsers = async <T>(
  terminal: Terminal,
  work: (users: UserService, context: RequestContext) => Promise<T>
): Promise<T> => await withStorage(terminal, async storage => await work(createUserService(storage), operatorContext()))

/** Like `withUsers`, but opens the database for reading only. */
export const readUsers = async <T>(terminal: Terminal, work: (users: UserService) => Promise<T>): Promise<T> =>
  await withStorage(terminal, async storage => await work(createUserService(storage)), { readOnly: true })

/**
 * Returns the id of the user that the argument identifies. Throws a CommandError if no user has the e-mail address, or
 * a UsageError if the argument is a number that begins with 0.
 */
export const userIdOf = async (users: UserService, argument: string): Promise<number> => {
  if (/^[1-9]\d{0,14}$/.test(argument)) return Number(argument)
  if (/^0\d*$/.test(argument)) throw new UsageError("A user's id must be a number that does not begin with 0.")
  const account = await users.findAccount(argument.toLowerCase())
  if (account === null) throw new CommandError('No user has this e-mail address.')
  return account.user.id
}

/** Formats a user's name and e-mail address for a message. */
export const userText = ({ name, email }: Pick<User, 'name' | 'email'>): string => `${name} <${email}>`
