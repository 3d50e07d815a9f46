import { checked } from '../http/validation.ts'
import { refuseCredentials } from '../domain/keys/token/shape.ts'
import { toUserJson, userFields } from '../http/representations/users.ts'
import { command, DONE, jsonOption } from './command.ts'
import { UsageError } from './failures.ts'
import { createUser, newPassword, readPassword, refuseWeakPassword } from './new-user.ts'

const NewUser = {
  type: 'object',
  required: ['name', 'email', 'password'],
  properties: { name: userFields.name, email: userFields.email, password: userFields.password }
} as const

/**
 * Returns the e-mail address to store for a new user. Throws a DomainError or a CommandError if the user is invalid.
 */
const checkUser = async (name: string, address: string, password: string): Promise<string> => {
  const email = checked(NewUser, { name, email: address, password }).email.toLowerCase()
  refuseCredentials({ name, email })
  await refuseWeakPassword(password, { name, email })
  return email
}

export default command({
  description: `Creates a user. The password is read from standard input (at a terminal, press Enter and Ctrl-D after
it). If standard input is empty, a password is generated and printed once.`,

  options: {
    email: { value: '<address>', help: 'the e-mail address with which the user signs in' },
    name: { value: '<name>', help: 'the name of the user' },
    admin: { help: 'create an administrator, who can manage users and client keys' },
    ...jsonOption('print one JSON object, with the password if it was generated')
  },

  run: async ({ email: address, name, admin = false, json = false }, terminal) => {
    if (address === undefined || name === undefined) throw new UsageError('Specify an --email and a --name.')
    const typed = await readPassword(terminal)
    const password = typed === '' ? newPassword() : typed
    const email = await checkUser(name, address, password)
    const user = await createUser(terminal, password, { name, email, role: admin ? 'admin' : 'member' })
    if (json) terminal.printJson({ ...toUserJson(user), ...(typed === '' ? { password } : {}) })
    else {
      const role = admin ? ' as an administrator' : ''
      const generated = typed === '' ? ` The password, which can't be shown again: ${password}` : ''
      terminal.print(`The user ${user.name} <${user.email}> was created${role}.${generated}`)
    }
    const setPassword = terminal.invocation('user password', `${user.id} --out <file>`)
    await terminal.flush(`The user was created. Set a new password: ${setPassword}`)
    return DONE
  }
})
