import { resolve } from 'node:path'
import { readTimestamp } from '../http/timestamps.ts'
import type { Direction } from '../http/timestamps.ts'
import { isUnexpanded } from '../net/unexpanded.ts'
import { UsageError } from './failures.ts'

/** The values of a Boolean option. */
export const BOOLEANS = ['true', 'false'] as const

/** Parses the value of a Boolean option. Returns undefined if the option wasn't given. */
export const toBoolean = (text: (typeof BOOLEANS)[number] | undefined): boolean | undefined =>
  text === undefined ? undefined : text === 'true'

/**
 * Parses an option's value as a time. Returns undefined if the option wasn't given. Throws a UsageError if it's
 * invalid.
 */
export const toTimestamp = (option: string, text: string | undefined, direction: Direction): Date | undefined => {
  if (text === undefined) return undefined
  const timestamp = readTimestamp(text, direction)
  if (typeof timestamp === 'string') throw new UsageError(`--${option} ${timestamp}.`)
  return timestamp
}

/** Parses an option's value as a number from 1 to `max`. Throws a UsageError if it's invalid. */
export const toNumber = (option: string, text: string, max: number): number => {
  if (!/^[1-9]\d{0,15}$/.test(text) || Number(text) > max) {
    throw new UsageError(`--${option} must be a number from 1 to ${max}.`)
  }
  return Number(text)
}

/** Resolves the path of a file. Throws a UsageError if it begins with `~` or a variable, which aren't expanded. */
export const toPath = (cwd: string, text: string): string => {
  if (isUnexpanded(text)) {
    throw new UsageError("The file's path must be written in full: ~ and variables are not expanded here.")
  }
  return resolve(cwd, text)
}
