import { UserError } from '../config/user-error.ts'
import { isDomainError } from '../domain/domain-error.ts'
import { InvalidFields, isUnavailable } from '../domain/errors.ts'
import type { DomainError } from '../domain/domain-error.ts'
import { reasonOf } from '../domain/reason.ts'

/** Thrown if a command is refused or doesn't find what was requested. */
export class CommandError extends UserError {}

/**
 * Thrown if a command's options or arguments are invalid. The message only repeats those that look like names, because
 * anything else could be a secret.
 */
export class UsageError extends UserError {}

/** Converts a failure to an error with a message for the user. Returns null if the failure was unexpected. */
export const asUserError = (failure: unknown): UserError | null => {
  if (failure instanceof UserError) return failure
  if (!isDomainError(failure)) return null
  if (failure instanceof InvalidFields) return new UsageError(messageOf(failure))
  const reason = reasonOf(failure)
  const why = reason === null ? '' : ` Reason: ${reason}.`
  return isUnavailable(failure)
    ? new CommandError(`The database is unavailable.${why}`, 'Nothing was changed. Try again.')
    : new CommandError(`${messageOf(failure)}${why}`)
}

// The command-line option for each field in the API.
const OPTIONS: Readonly<Record<string, string>> = {
  name: '--name',
  description: '--description',
  owner: '--owner',
  audience: '--audience',
  scopes: '--scope',
  expires_at: '--expires',
  allowed_ips: '--allow-ip',
  rate_limit: '--rate',
  metadata: '--metadata',
  reason: '--reason',
  email: '--email',
  role: '--role',
  transfer_to: '--transfer-to'
}

const FIELD = new RegExp(`^(${Object.keys(OPTIONS).join('|')})((?:\\.\\w+)*) `)

/** Returns the messages of a domain error, one per line, with option names instead of field names. */
export const messageOf = ({ errors, message }: DomainError): string =>
  (errors ?? [message])
    .map(sentence =>
      sentence.replace(FIELD, (_, field: string, place: string) => `${OPTIONS[field]}${placeText(place)} `)
    )
    .join('\n')

const placeText = (place: string): string => {
  const [, index] = /^\.(\d+)(?:\.|$)/.exec(place) ?? []
  return index === undefined ? '' : ` number ${Number(index) + 1}`
}
