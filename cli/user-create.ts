import { randomBytes } from 'node:crypto'
import { readConfig } from '../config/read.ts'
import { openStores } from '../db/open.ts'
import { checked } from '../domain/json/validation.ts'
import { credentialFaults } from '../domain/keys/token-shape.ts'
import { InvalidFields } from '../domain/errors.ts'
import { createPasswordHasher, passwordFaults } from '../domain/users/passwords.ts'
import { toUserJson, userFields } from '../domain/users/representation.ts'
import { command, DONE } from './command.ts'
import { UsageError } from './failures.ts'
import { cliOrigin } from './origin.ts'

const PASSWORD_BYTES = 18

const NewUser = {
  type: 'object',
  required: ['name', 'email', 'password'],
  properties: { name: userFields.name, email: userFields.email, password: userFields.password }
} as const

export default command({
  help: `npm run user:create -- --email <address> --name <name> [--admin] [--json] [< password.txt]

Makes a user. The password is read from standard input (at a terminal, press Enter and Ctrl-D after it); where nothing is there,
one is made and printed, this once.

  --email <address>   the e-mail address that the user signs in with
  --name <name>       what people call the user
  --admin             an administrator, who manages users and client keys
  --json              one JSON object, with the password where it was made
  --help              this text`,

  options: {
    email: { type: 'string' },
    name: { type: 'string' },
    admin: { type: 'boolean' },
    json: { type: 'boolean' }
  },

  run: async ({ email: address, name, admin, json }, terminal) => {
    if (address === undefined || name === undefined) throw new UsageError('Name an --email and a --name.')
    const typed = (await terminal.readInput()).replace(/\r?\n$/, '')
    const password = typed === '' ? randomBytes(PASSWORD_BYTES).toString('base64url') : typed
    const email = checked(NewUser, { name, email: address, password }).email.toLowerCase()
    const faults = [...credentialFaults({ name, email }), ...(await passwordFaults(password, { name, email }))]
    if (faults.length > 0) throw new InvalidFields(faults)
    const { DATABASE_URL } = readConfig(terminal.environment(), ['DATABASE_URL'])
    const stores = openStores(DATABASE_URL)
    try {
      const user = await stores.users.insert(
        {
          name,
          email,
          role: admin === true ? 'admin' : 'member',
          passwordHash: await createPasswordHasher().hash(password),
          createdAt: new Date().toISOString()
        },
        cliOrigin()
      )
      const made = typed === '' ? { password } : {}
      if (json === true) terminal.printJson({ ...toUserJson(user), ...made })
      else {
        terminal.print(
          `The user ${user.name} <${user.email}> is made${admin === true ? ', an administrator' : ''}.${typed === '' ? ` The password, which can't be shown again: ${password}` : ''}`
        )
      }
      return DONE
    } finally {
      stores.close()
    }
  }
})
