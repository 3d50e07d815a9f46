import { resolve } from 'node:path'
import { readTimestamp } from '../http/timestamps.ts'
import type { Direction } from '../http/timestamps.ts'
import { OwnerQuery } from '../http/representations/key-fields.ts'
import { checked } from '../http/validation.ts'
import { isUnexpanded } from '../net/unexpanded.ts'
import { UsageError } from './failures.ts'

/** The values of a Boolean option. */
export const BOOLEANS = ['true', 'false'] as const

/** Parses the value of a Boolean option. Returns undefined if the option was not given. */
export const toBoolean = (text: (typeof BOOLEANS)[number] | undefined): boolean | undefined =>
  text === undefined ? undefined : text === 'true'

/**
 * Checks the owner of keys in the value of an option. Returns undefined if the option was not given. Throws
 * InvalidFields.
 */
export const toOwner = (owner: string | undefined): string | undefined =>
  owner === undefined ? undefined : checked(OwnerQuery, { owner }).owner

/** Parses a time in the value of an option. Returns undefined if the option was not given. Throws a UsageError. */
export const toTimestamp = (option: string, text: string | undefined, direction: Direction): Date | undefined => {
  if (text === undefined) return undefined
  const timestamp = readTimestamp(text, direction)
  if (typeof timestamp === 'string') throw new UsageError(`--${option} ${timestamp}.`)
  return timestamp
}

/** Parses a number from 1 to `max` in the value of an option. Throws a UsageError. */
export const toNumber = (option: string, text: string, max: number): number => {
  if (!/^[1-9]\d{0,15}$/.test(text) || Number(text) > max) {
    throw new UsageError(`--${option} must be a number from 1 to ${max}.`)
  }
  return Number(text)
}

/** Returns the full path of a file. Throws a UsageError if the text begins with `~` or a variable. */
export const toPath = (cwd: string, text: string): string => {
  if (isUnexpanded(text)) {
    throw new UsageError('The path of the file must be written in full: ~ and variables are not expanded here.')
  }
  return resolve(cwd, text)
}
