import { refuseCredentials } from '../domain/keys/token/shape.ts'
import { toUserJson, userFields } from '../http/representations/users.ts'
import { checked } from '../http/validation.ts'
import { command, DONE, jsonOption } from './command.ts'
import { UsageError } from './failures.ts'
import { USER_ARGUMENT, userIdOf, withUsers } from './users.ts'

const ChangedUser = {
  type: 'object',
  properties: { name: userFields.name, email: userFields.email, role: userFields.role }
} as const

export default command({
  description: `Changes a user. Anything you don't specify stays unchanged. A new e-mail address ends all of the user's
sessions.`,
  options: {
    name: { value: '<name>', help: 'the new name' },
    email: { value: '<address>', help: 'the new e-mail address, with which the user signs in' },
    role: {
      value: '<role>',
      choices: userFields.role.enum,
      help: 'the new role: admin for an administrator, who can manage users and client keys, or member'
    },
    ...jsonOption('print the changed user as one JSON object')
  },
  argument: USER_ARGUMENT,

  run: async ({ name, email, role, json = false }, terminal, argument) => {
    const change = checked(ChangedUser, {
      ...(name === undefined ? {} : { name }),
      ...(email === undefined ? {} : { email: email.toLowerCase() }),
      ...(role === undefined ? {} : { role })
    })
    if (Object.keys(change).length === 0) throw new UsageError('Specify what to change.')
    refuseCredentials({ name, email })
    const user = await withUsers(
      terminal,
      async (users, context) => await users.update(await userIdOf(users, argument), change, context)
    )
    if (json) terminal.printJson(toUserJson(user))
    else {
      terminal.print('The user was changed:\n')
      terminal.printTable([
        ['id', String(user.id)],
        ['name', user.name],
        ['email', user.email],
        ['role', user.role]
      ])
    }
    return DONE
  }
})
