import { toUserJson } from '../http/representations/users.ts'
import { command, DONE, jsonOption } from './command.ts'
import type { Command } from './command.ts'
import { USER_ARGUMENT, userIdOf, userText, withUsers } from './users.ts'

const switchCommand = (accountLocked: boolean, description: string, done: string): Command =>
  command({
    description,
    options: jsonOption('print the changed user as one JSON object'),
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
  'Locks a user and ends all of their sessions. The user cannot sign in until you run user unlock.',
  'is locked, and all sessions were ended. Run user unlock to let the user sign in again'
)

export const unlock = switchCommand(false, 'Unlocks a user, who can then sign in again.', 'is unlocked and can sign in')
