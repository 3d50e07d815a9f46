import { readFileSync } from 'node:fs'
import { parseEnv } from 'node:util'
import { utf8Text } from '../net/utf8.ts'
import { UserError } from './user-error.ts'

const ASSIGNMENT = /^(\s*(?:export\s+)?)([^\s=#]+)(?=\s*=)/

/** Returns the contents of a `.env` file, without the byte order mark. Throws a UserError if the file isn't UTF-8. */
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

/** Returns the variables that are set more than once in the contents of a `.env` file, with their line numbers. */
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

// Renames the variable on the line, and checks whether Node's parser finds the new name. It doesn't if the line is part
// of another variable's quoted value.
const isAssignment = (lines: readonly string[], place: number): boolean => {
  const marked = lines.map((line, index) => (index === place ? line.replace(ASSIGNMENT, `$1${MARK}`) : line))
  return MARK in parseEnv(marked.join('\n'))
}

const MARK = 'A_NAME_THAT_NOBODY_USES'

/**
 * Returns which of the named variables have a value that is cut off at an unquoted `#` in the contents of a `.env`
 * file.
 */
export const cutNames = (text: string, names: readonly string[]): string[] => {
  const lines = text.split('\n')
  const found = assignmentsIn(lines)
  return names.filter(name => (found.get(name) ?? []).some(place => isCut(lines, place, name)))
}

// Replaces each # on the line with ordinary text. If Node's parser then returns a longer value, the value was cut off.
const isCut = (lines: readonly string[], place: number, name: string): boolean => {
  const uncut = lines.map((line, index) => (index === place ? line.replaceAll('#', MARK) : line))
  const found = parseEnv(lines.join('\n'))[name]
  return parseEnv(uncut.join('\n'))[name]?.replaceAll(MARK, '#') !== found
}
