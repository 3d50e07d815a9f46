import { chmodSync, chownSync, existsSync, realpathSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { parseEnv } from 'node:util'
import { dotenvText } from '../config/dotenv.ts'
import { CommandError } from './failures.ts'

const SECRET_MODE = 0o600
const PLAIN = /^[\w:,./-]*$/

/**
 * Sets variables in a `.env` file to what `change` makes of those that are there, and leaves everything else in it
 * as it is, its owner too; makes the file, readable by its owner only, where there is none. The file is replaced
 * in one step. Throws a CommandError, with the file unchanged, where its own way of writing a value is too unusual
 * to be edited.
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
      // The service may run as another user than who makes its keys.
      chownSync(temporary, existing.uid, existing.gid)
      // A file that gets a secret is closed to others, even where it was open.
      if (!('CLIENT_SECRET' in values)) chmodSync(temporary, existing.mode)
    }
    renameSync(temporary, target)
  } catch (error) {
    rmSync(temporary, { force: true })
    throw error
  }
}

const HEADER = '# .env.example explains every variable.\n'

// Of two commands that change the file at once, one would undo what the other did.
const reserve = (temporary: string): void => {
  try {
    writeFileSync(temporary, '', { mode: SECRET_MODE, flag: 'wx' })
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    throw code === 'EEXIST'
      ? new CommandError(
          `${temporary} is there: another command changes the file now.`,
          `Try again; where none does, delete ${temporary} first.`
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
  // A variable may be given twice, or stand in the value of another: what a reader makes of the result decides.
  if (opensQuote.test(text) || !isSame(parseEnv(edited), { ...parseEnv(text), [name]: value })) {
    throw new CommandError(
      `${name} is written in .env in a way that can't be edited here.`,
      'Put it on one line of its own, without quotes, and try again.'
    )
  }
  return edited
}

const isSame = (a: NodeJS.Dict<string>, b: NodeJS.Dict<string>): boolean =>
  Object.keys(a).length === Object.keys(b).length && Object.entries(a).every(([name, value]) => b[name] === value)
