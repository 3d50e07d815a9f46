import { toUserJson } from '../http/representations/users.ts'
import { command, DONE, jsonOption } from './command.ts'
import type { Command } from './command.ts'
import { USER_ARGUMENT, userIdOf, userText, withUsers } from './users.ts'

const switchCommand = (accountLocked: boolean, description: string, done: string): Command =>
  command({
    description,
    options: jsonOption('the user as it is now, as one JSON object'),
    argument: USER_ARGUMENT,

    run: async ({ json = false }, terminal, argument) => {
      const user = await withUsers(
        terminal,
        async (users, context) => await users.update(await userIdOf(users, argument), { accountLocked }, context)
      )
      if (json) terminal.printJson(toUserJson(user))
      else terminal.print(`The user ${userText(user)} ${done}.`)
      return DONE
    }
  })

export const lock = switchCommand(
  true,
  'Locks a user: ends every session, and refuses to sign the user in until user unlock.',
  'is locked, and every session is ended; user unlock lets them sign in again'
)

export const unlock = switchCommand(
  false,
  'Lets a user sign in again whom user lock has locked.',
  'is not locked, and may sign in'
)
