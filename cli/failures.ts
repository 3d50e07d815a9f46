import { Complaint } from '../config/complaint.ts'
import { DomainError, isUnavailable } from '../domain/errors.ts'

/** A refusal with a message for the person who typed the command. */
export class CommandError extends Complaint {}

/**
 * What was typed can't be meant; the message says what to type. It never repeats what was typed, which could be a
 * secret, but for what can be nothing but a name.
 */
export class UsageError extends Error {}

/** What to show of a failure: its message where it was foreseen, or else the error with its stack. */
export const shownOf = (failure: unknown): unknown =>
  failure instanceof DomainError ? wordsFor(failure) : failure instanceof Complaint ? failure.message : failure

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
  email: '--email'
}

const FIELD = new RegExp(`^(${Object.keys(OPTIONS).join('|')})((?:\\.\\w+)*) `)

const wordsFor = (problem: DomainError): string => {
  if (isUnavailable(problem)) {
    return 'The database can not be used now: another process has it, or its disk is full. Nothing was changed; try again.'
  }
  return (problem.errors ?? [problem.message])
    .map(sentence =>
      sentence.replace(FIELD, (_, field: string, place: string) => `${OPTIONS[field]}${placeText(place)} `)
    )
    .join('\n')
}

const placeText = (place: string): string => (/^\.\d+$/.test(place) ? ` number ${Number(place.slice(1)) + 1}` : '')
