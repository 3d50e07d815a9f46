import { readFileSync } from 'node:fs'
import { parseEnv } from 'node:util'
import { utf8Text } from '../net/utf8.ts'
import { UserError } from './user-error.ts'

const ASSIGNMENT = /^(\s*(?:export\s+)?)([^\s=#]+)(?=\s*=)/

/** The text of a `.env` file, without the byte order mark. Throws a UserError if the file is not UTF-8. */
export const dotenvText = (path: string): string => {
  const text = utf8Text(readFileSync(path))
  if (text === null) {
    throw new UserError(`${path} holds bytes that are not UTF-8, so it can't be read.`, 'Save it as UTF-8.')
  }
  return text
}

/** The variables that a `.env` file sets more than once, with the numbers of the lines that do. */
export const repeatedNames = (text: string): { name: string; lines: number[] }[] => {
  const lines = text.split('\n')
  const found = new Map<string, number[]>()
  for (const [index, line] of lines.entries()) {
    const name = ASSIGNMENT.exec(line)?.[2]
    if (name !== undefined) found.set(name, [...(found.get(name) ?? []), index])
  }
  return [...found]
    .filter(([, places]) => places.length > 1)
    .map(([name, places]) => ({
      name,
      lines: places.filter(place => isAssignment(lines, place)).map(place => place + 1)
    }))
    .filter(({ lines: { length } }) => length > 1)
}

// A line may be part of the quoted value of another variable. The parser that counts is Node's: where it sees a name
// that only this line has, this line is an assignment.
const isAssignment = (lines: readonly string[], place: number): boolean => {
  const marked = lines.map((line, index) => (index === place ? line.replace(ASSIGNMENT, `$1${MARK}`) : line))
  return MARK in parseEnv(marked.join('\n'))
}

const MARK = 'A_NAME_THAT_NOBODY_USES'
