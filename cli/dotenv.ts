import { existsSync, realpathSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { parseEnv } from 'node:util'
import { dotenvText } from '../config/read.ts'
import { CommandError } from './command.ts'

const SECRET_MODE = 0o600
const PLAIN = /^[\w:,./-]*$/

/**
 * Sets variables in a `.env` file and leaves everything else in it as it is; makes the file, readable by its owner only,
 * where there is none. The file is replaced in one step. Throws a CommandError, with the file unchanged, where its own
 * way of writing a value is too unusual to be edited.
 */
export const saveToDotenv = (path: string, values: Readonly<Record<string, string>>): void => {
  const before = readIfThere(path)
  const after = Object.entries(values).reduce((text, [name, value]) => withVariable(text, name, value), before?.text ?? HEADER)
  const target = before?.path ?? path
  const temporary = `${target}.${process.pid}.tmp`
  // A file that gets a secret is closed to others, even where it was open.
  writeFileSync(temporary, after, { mode: before === null || 'CLIENT_SECRET' in values ? SECRET_MODE : before.mode, flag: 'wx' })
  renameSync(temporary, target)
}

const HEADER = '# Made by npm run quickstart. .env.example explains every variable.\n'

const readIfThere = (path: string): { path: string, text: string, mode: number } | null => {
  if (!existsSync(path)) return null
  const target = realpathSync(path)
  const { mode } = statSync(target)
  return { path: target, text: dotenvText(target), mode }
}

const withVariable = (text: string, name: string, value: string): string => {
  const line = `${name}=${PLAIN.test(value) ? value : `"${value}"`}`
  const assignment = new RegExp(`^[ \\t]*(export[ \\t]+)?${name}[ \\t]*=.*$`, 'm')
  const opensQuote = new RegExp(`^[ \\t]*(export[ \\t]+)?${name}[ \\t]*=[ \\t]*(["'\`])(?!.*\\2)`, 'm')
  const ended = text === '' || text.endsWith('\n') ? text : `${text}\n`
  const edited = assignment.test(text) ? text.replace(assignment, (_, exported: string = '') => exported + line) : `${ended}${line}\n`
  // A variable may be given twice, or stand in the value of another: what a reader makes of the result decides.
  if (opensQuote.test(text) || !isSame(parseEnv(edited), { ...parseEnv(text), [name]: value })) {
    throw new CommandError(`${name} is written in .env in a way that can't be edited here. Put it on one line of its own, without quotes, and try again.`)
  }
  return edited
}

const isSame = (a: NodeJS.Dict<string>, b: NodeJS.Dict<string>): boolean =>
  Object.keys(a).length === Object.keys(b).length && Object.entries(a).every(([name, value]) => b[name] === value)
