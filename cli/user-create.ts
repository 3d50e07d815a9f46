import { InvalidFields } from '../domain/errors.ts'
import { issuesOf } from '../domain/field-issue.ts'
import { checked } from '../http/validation.ts'
import { credentialIssues } from '../domain/keys/token/shape.ts'
import { passwordIssues } from '../domain/users/passwords.ts'
import { toUserJson, userFields } from '../http/representations/users.ts'
import { command, DONE, jsonOption } from './command.ts'
import { UsageError } from './failures.ts'
import { createUser, newPassword } from './new-user.ts'

const NewUser = {
  type: 'object',
  required: ['name', 'email', 'password'],
  properties: { name: userFields.name, email: userFields.email, password: userFields.password }
} as const

/** Throws a DomainError where the rules refuse the user; answers the e-mail address as it is stored. */
const checkUser = async (name: string, address: string, password: string): Promise<string> => {
  const email = checked(NewUser, { name, email: address, password }).email.toLowerCase()
  const issues = [
    ...credentialIssues({ name, email }),
    ...issuesOf('password', await passwordIssues(password, { name, email }))
  ]
  if (issues.length > 0) throw new InvalidFields({ issues })
  return email
}

export default command({
  description: `Makes a user. The password is read from standard input (at a terminal, press Enter and Ctrl-D after
it). Where nothing is there, one is made and printed, this once.`,

  options: {
    email: { value: '<address>', help: 'the e-mail address that the user signs in with' },
    name: { value: '<name>', help: 'what people call the user' },
    admin: { help: 'an administrator, who manages users and client keys' },
    ...jsonOption('one JSON object, with the password where it was made')
  },

  run: async ({ email: address, name, admin = false, json = false }, terminal) => {
    if (address === undefined || name === undefined) throw new UsageError('Name an --email and a --name.')
    const typed = (await terminal.readInput()).replace(/\r?\n$/, '')
    const password = typed === '' ? newPassword() : typed
    const email = await checkUser(name, address, password)
    const user = await createUser(terminal, password, { name, email, role: admin ? 'admin' : 'member' })
    if (json) terminal.printJson({ ...toUserJson(user), ...(typed === '' ? { password } : {}) })
    else {
      const role = admin ? ', an administrator' : ''
      const made = typed === '' ? ` The password, which can't be shown again: ${password}` : ''
      terminal.print(`The user ${user.name} <${user.email}> is made${role}.${made}`)
    }
    await terminal.flush(`The user is made. Set a password: PATCH /users/${user.id}`)
    return DONE
  }
})
