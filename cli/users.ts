import type { RequestContext } from '../domain/access/principal.ts'
import { createUserService } from '../domain/users/service.ts'
import type { UserService } from '../domain/users/service.ts'
import type { User } from '../domain/users/user.ts'
import { CommandError } from './failures.ts'
import { operatorContext } from './operator.ts'
import { withStorage } from './storage.ts'
import type { Terminal } from './terminal.ts'

/** The argument of a command that is about one user. */
export const USER_ARGUMENT = { name: 'user', help: 'the id or the e-mail address' } as const

/** Opens the users of the service that is configured here, and closes them when the work is done. */
export const withUsers = async <T>(
  terminal: Terminal,
  work: (users: UserService, context: RequestContext) => Promise<T>
): Promise<T> => await withStorage(terminal, async storage => await work(createUserService(storage), operatorContext()))

/** The same for what only reads. */
export const readUsers = async <T>(terminal: Terminal, work: (users: UserService) => Promise<T>): Promise<T> =>
  await withStorage(terminal, async storage => await work(createUserService(storage)), { readOnly: true })

/** The id of the user that an argument stands for. Throws a CommandError if no user has the e-mail address. */
export const userIdOf = async (users: UserService, argument: string): Promise<number> => {
  if (/^\d{1,15}$/.test(argument)) return Number(argument)
  const account = await users.findAccount(argument.toLowerCase())
  if (account === null) throw new CommandError('No user has this e-mail address.')
  return account.user.id
}

/** A user in a sentence. */
export const userText = ({ name, email }: Pick<User, 'name' | 'email'>): string => `${name} <${email}>`
