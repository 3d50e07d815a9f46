import { chmodSync, chownSync, existsSync, realpathSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { parseEnv } from 'node:util'
import { dotenvText } from '../config/dotenv.ts'
import { CommandError } from './failures.ts'

const SECRET_MODE = 0o600
const PLAIN = /^[\w:,./-]*$/

/**
 * Sets variables in a `.env` file without changing its owner or its other content. `change` receives the current
 * variables and returns the ones to set. Replaces the file atomically, or creates one that only its owner may read.
 * Throws a CommandError if a variable is written in a way that this function can't edit.
 */
export const saveToDotenv = (
  path: string,
  change: (found: NodeJS.Dict<string>) => Readonly<Record<string, string>>
): void => {
  const target = existsSync(path) ? realpathSync(path) : path
  const temporary = `${target}.tmp`
  reserve(temporary)
  try {
    const existing = statSync(target, { throwIfNoEntry: false })
    const before = existing === undefined ? HEADER : dotenvText(target)
    const values = change(parseEnv(before))
    const after = Object.entries(values).reduce((text, [name, value]) => withVariable(text, name, value), before)
    writeFileSync(temporary, after, { flush: true })
    if (existing !== undefined) {
      // The service may run as a different user than this command.
      chownSync(temporary, existing.uid, existing.gid)
      // If a secret is added, only the owner may read the file, even if others could read it before.
      if (!('CLIENT_SECRET' in values)) chmodSync(temporary, existing.mode)
    }
    renameSync(temporary, target)
  } catch (error) {
    rmSync(temporary, { force: true })
    throw error
  }
}

const HEADER = '# .env.example explains every variable.\n'

// The temporary file also serves as a lock. Otherwise, a concurrent command could overwrite the change.
const reserve = (temporary: string): void => {
  try {
    writeFileSync(temporary, '', { mode: SECRET_MODE, flag: 'wx' })
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    throw code === 'EEXIST'
      ? new CommandError(
          `${temporary} exists, so another command may be changing .env.`,
          `Try again. If no other command is running, delete ${temporary} first.`
        )
      : new CommandError(`.env can't be changed: ${message}`)
  }
}

const withVariable = (text: string, name: string, value: string): string => {
  const line = `${name}=${PLAIN.test(value) ? value : `"${value}"`}`
  const assignment = new RegExp(`^[ \\t]*(export[ \\t]+)?${name}[ \\t]*=.*$`, 'm')
  const opensQuote = new RegExp(`^[ \\t]*(export[ \\t]+)?${name}[ \\t]*=[ \\t]*(["'\`])(?!.*\\2)`, 'm')
  const ended = text === '' || text.endsWith('\n') ? text : `${text}\n`
  const edited = assignment.test(text)
    ? text.replace(assignment, (_, exported: string = '') => exported + line)
    : `${ended}${line}\n`
  // A variable may be set twice, or its name may occur in another value, so the result is parsed and compared.
  if (opensQuote.test(text) || !isSame(parseEnv(edited), { ...parseEnv(text), [name]: value })) {
    throw new CommandError(
      `${name} is written in .env in a way that this command can't edit.`,
      'Write it on a separate line without quotes, and try again.'
    )
  }
  return edited
}

const isSame = (a: NodeJS.Dict<string>, b: NodeJS.Dict<string>): boolean =>
  Object.keys(a).length === Object.keys(b).length && Object.entries(a).every(([name, value]) => b[name] === value)
