import { UserError } from '../config/user-error.ts'
import { isDomainError } from '../domain/domain-error.ts'
import { InvalidFields, isUnavailable } from '../domain/errors.ts'
import type { DomainError } from '../domain/domain-error.ts'
import { reasonOf } from '../domain/reason.ts'

/** What was asked is refused, or is not there. */
export class CommandError extends UserError {}

/**
 * What was typed can't be meant. The message never repeats what was typed, which could be a secret, unless it can be
 * nothing but a name.
 */
export class UsageError extends UserError {}

/** A failure in words for the person who typed the command; null if nobody foresaw it. */
export const asUserError = (failure: unknown): UserError | null => {
  if (failure instanceof UserError) return failure
  if (!isDomainError(failure)) return null
  if (failure instanceof InvalidFields) return new UsageError(messageOf(failure))
  const reason = reasonOf(failure)
  const why = reason === null ? '' : ` The reason: ${reason}.`
  return isUnavailable(failure)
    ? new CommandError(`The database can not be used now.${why}`, 'Nothing was changed; try again.')
    : new CommandError(`${messageOf(failure)}${why}`)
}

// What the API calls a field, the command line calls an option.
const OPTIONS: Readonly<Record<string, string>> = {
  name: '--name',
  description: '--description',
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

/** The sentences of a refusal by the domain, one a line, with options in place of fields. */
export const messageOf = ({ errors, message }: DomainError): string =>
  (errors ?? [message])
    .map(sentence =>
      sentence.replace(FIELD, (_, field: string, place: string) => `${OPTIONS[field]}${placeText(place)} `)
    )
    .join('\n')

const placeText = (place: string): string => (/^\.\d+$/.test(place) ? ` number ${Number(place.slice(1)) + 1}` : '')
