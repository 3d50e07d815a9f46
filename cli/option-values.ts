import { readInstant } from '../http/instants.ts'
import type { Direction } from '../http/instants.ts'
import { UsageError } from './failures.ts'

/** The values of an option that is a question. */
export const ANSWERS = ['true', 'false'] as const

/** Reads the value of an option that is a question; undefined if it was not given. */
export const toBoolean = (text: (typeof ANSWERS)[number] | undefined): boolean | undefined =>
  text === undefined ? undefined : text === 'true'

/** Reads the time that an option was given, if it was. Throws a UsageError. */
export const toInstant = (option: string, text: string | undefined, direction: Direction): Date | undefined => {
  if (text === undefined) return undefined
  const instant = readInstant(text, direction)
  if (typeof instant === 'string') throw new UsageError(`--${option} ${instant}.`)
  return instant
}
