import { OwnerQuery } from '../http/representations/owners.ts'
import { checked } from '../http/validation.ts'
import { UsageError } from './failures.ts'
import { KEY_ARGUMENT } from './keys.ts'

/** The argument of a command that acts on one key, or on all keys of the owner that `--owner` specifies. */
export const KEY_OR_OWNER = { ...KEY_ARGUMENT, optional: true } as const

/** Checks the owner of keys in the value of an option. Throws InvalidFields. */
export const toOwner = (owner: string): string => checked(OwnerQuery, { owner }).owner

/**
 * Returns the owner whose keys a command acts on, or null if it acts on one key. Throws a UsageError if neither or both
 * are given.
 */
export const toOwnerOrNull = (argument: string, owner: string | undefined): string | null => {
  if (argument !== '' && owner !== undefined) throw new UsageError('Specify either one key, or an --owner.')
  if (argument === '' && owner === undefined) {
    throw new UsageError(`Specify one key: ${KEY_ARGUMENT.help}. Or specify an --owner.`)
  }
  return owner === undefined ? null : toOwner(owner)
}
