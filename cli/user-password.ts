import { isDomainError } from '../domain/domain-error.ts'
import { OutcomeUnknown } from '../domain/errors.ts'
import { createPasswordHasher } from '../domain/users/passwords.ts'
import { toUserJson } from '../http/representations/users.ts'
import { command, DONE, jsonOption } from './command.ts'
import { CommandError, UsageError } from './failures.ts'
import { newPassword, readPassword, refuseWeakPassword } from './new-user.ts'
import { toPath } from './option-values.ts'
import type { Terminal } from './terminal.ts'
import { createTokenFile } from './token-file.ts'
import { USER_ARGUMENT, userIdOf, userText, withUsers } from './users.ts'

export default command({
  description: `Sets a new password for a user, and ends all of the user's sessions. The password is never printed:
specify a file for a generated password, or pass a password on standard input.`,

  options: {
    out: {
      value: '<file>',
      help: `a new file for a generated password, readable only by its owner. One line,
{"id":…,"email":…,"password":…}, is written to it before the password is set`
    },
    stdin: { help: 'read the password from standard input; at a terminal, press Enter and Ctrl-D after it' },
    ...jsonOption('print the user as one JSON object, without the password')
  },
  argument: USER_ARGUMENT,

  run: async ({ out, stdin = false, json = false }, terminal, argument) => {
    if ((out === undefined) !== stdin) {
      throw new UsageError('Specify either an --out file for a generated password, or --stdin to read one.')
    }
    const path = out === undefined ? null : toPath(terminal.cwd, out)
    const password = path === null ? await typedPassword(terminal) : newPassword()
    const user = await withUsers(terminal, async (users, context) => {
      const found = await users.find(await userIdOf(users, argument))
      await refuseWeakPassword(password, found)
      const set = async (): Promise<void> => {
        await users.update(found.id, { passwordHash: await createPasswordHasher().hash(password) }, context)
      }
      if (path === null) await set()
      else await keepAndSet(path, { id: found.id, email: found.email, password }, set)
      return found
    })
    if (json) terminal.printJson(toUserJson(user))
    else {
      const place = path === null ? '' : ` The password is stored only in ${path}.`
      terminal.print(`The password of ${userText(user)} was set, and all sessions were ended.${place}`)
    }
    return DONE
  }
})

const typedPassword = async (terminal: Terminal): Promise<string> => {
  const password = await readPassword(terminal)
  if (password === '') throw new CommandError('There is no password on standard input.')
  return password
}

/** Writes a password to a new file before setting it. Keeps the file if the password may have been set. */
const keepAndSet = async (path: string, line: object, set: () => Promise<void>): Promise<void> => {
  const file = createTokenFile(path)
  try {
    file.append(line)
    await set()
  } catch (error) {
    if (isDomainError(error) && !(error instanceof OutcomeUnknown)) file.cut(0)
    throw error
  } finally {
    file.close()
  }
}
