import { readFileSync } from 'node:fs'
import { parseEnv } from 'node:util'
import { utf8Text } from '../net/utf8.ts'
import { UserError } from './user-error.ts'

const ASSIGNMENT = /^(\s*(?:export\s+)?)([^\s=#]+)(?=\s*=)/

/** Returns the given `.env` file's text, without its byte order mark. Throws a UserError if it isn't UTF-8. */
export const dotenvText = (path: string): string => {
  const bytes = readFileSync(path)
  const text = utf8Text(bytes)
  // In UTF-16, every second byte of ASCII text is 0.
  if (bytes.includes(0)) {
    throw new UserError(
      `${path} is encoded in UTF-16, which is the default of PowerShell, instead of UTF-8.`,
      `Save it as UTF-8. In PowerShell: (Get-Content ${path}) | Set-Content -Encoding utf8 ${path}`
    )
  }
  if (text === null) {
    throw new UserError(`${path} contains bytes that aren't UTF-8, so it can't be read.`, 'Save it as UTF-8.')
  }
  return text
}

/** Returns, for each variable, the indexes of the lines that may assign it. */
const assignmentsIn = (lines: readonly string[]): Map<string, number[]> => {
  const found = new Map<string, number[]>()
  for (const [index, line] of lines.entries()) {
    const name = ASSIGNMENT.exec(line)?.[2]
    if (name !== undefined) found.set(name, [...(found.get(name) ?? []), index])
  }
  return found
}

/** Returns the variables that the given `.env` text sets more than once, with the numbers of their lines. */
export const repeatedNames = (text: string): { name: string; lines: number[] }[] => {
  const lines = text.split('\n')
  return [...assignmentsIn(lines)]
    .filter(([, places]) => places.length > 1)
    .map(([name, places]) => ({
      name,
      lines: places.filter(place => isAssignment(lines, place)).map(place => place + 1)
    }))
    .filter(({ lines: { length } }) => length > 1)
}

// Uses Node's own parser, because the line may be part of another variable's quoted value: the line is an assignment if
// the parser finds a name that only this line contains.
const isAssignment = (lines: readonly string[], place: number): boolean => {
  const marked = lines.map((line, index) => (index === place ? line.replace(ASSIGNMENT, `$1${MARK}`) : line))
  return MARK in parseEnv(marked.join('\n'))
}

const MARK = 'A_NAME_THAT_NOBODY_USES'

/** Returns those of the given variables whose value in the given `.env` text ends at a `#` outside of quotes. */
export const cutNames = (text: string, names: readonly string[]): string[] => {
  const lines = text.split('\n')
  const found = assignmentsIn(lines)
  return names.filter(name => (found.get(name) ?? []).some(place => isCut(lines, place, name)))
}

// Uses Node's own parser: the value was cut if the parser returns a longer one after each # on the line is replaced
// with ordinary text.
const isCut = (lines: readonly string[], place: number, name: string): boolean => {
  const uncut = lines.map((line, index) => (index === place ? line.replaceAll('#', MARK) : line))
  const found = parseEnv(lines.join('\n'))[name]
  return parseEnv(uncut.join('\n'))[name]?.replaceAll(MARK, '#') !== found
}
