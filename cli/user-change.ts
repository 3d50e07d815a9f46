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
  description: `Changes a user. What is not named stays as it is. Another e-mail address ends every session of the
user.`,

  options: {
    name: { value: '<name>', help: 'another name' },
    email: { value: '<address>', help: 'another e-mail address to sign in with' },
    role: {
      value: '<role>',
      choices: userFields.role.enum,
      help: 'admin: an administrator, who manages users and client keys; or member'
    },
    ...jsonOption('the user as it is now, as one JSON object')
  },
  argument: USER_ARGUMENT,

  run: async ({ name, email, role, json = false }, terminal, argument) => {
    const change = checked(ChangedUser, {
      ...(name === undefined ? {} : { name }),
      ...(email === undefined ? {} : { email: email.toLowerCase() }),
      ...(role === undefined ? {} : { role })
    })
    if (Object.keys(change).length === 0) throw new UsageError('Say what to change.')
    refuseCredentials({ name, email })
    const user = await withUsers(
      terminal,
      async (users, context) => await users.update(await userIdOf(users, argument), change, context)
    )
    if (json) terminal.printJson(toUserJson(user))
    else {
      terminal.print('The user is changed:\n')
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
