import { InvalidFields } from '../domain/errors.ts'

const SECONDS = new Map([
  ['s', 1],
  ['m', 60],
  ['h', 3600],
  ['d', 86_400],
  ['w', 7 * 86_400],
  ['y', 365 * 86_400]
])

const DURATION = /^\d{1,9}[smhdwy]$/
const DAY = /^(\d{4})-(\d\d)-(\d\d)$/
// RFC 3339 also allows a space instead of the T. It isn't accepted here, because query strings encode a space as a
// plus, which can also begin an offset.
const MOMENT = /^(\d{4}-\d\d-\d\d)T(\d\d):(\d\d):(\d\d)(?:\.\d+)?(?:Z|[+-](\d\d):?(\d\d))$/i

/** The message for strings in an unknown format. Like all messages in this file, it follows the name of a field. */
export const TIMESTAMP_RULE =
  'must be a timestamp with a time zone, such as 2027-01-31T12:00:00Z, a day, such as 2027-01-31, or a ' +
  'duration, such as 12h, 90d or 1y'

const TOO_FAR = 'is out of range: the year must be from 0000 to 9999'

/** Formats that are almost valid, each with a message about its mistake. The first match is used. */
const NEARLY: readonly (readonly [RegExp, string])[] = [
  [/^\d{4}-?W\d/i, 'must not be a week date; use a calendar date, such as 2027-01-31'],
  [/^\d{4}-\d\d-\d\d[ _]\d/, 'must have a T between date and time, such as 2027-01-31T12:00:00Z'],
  [/T[\d:.]+ \d\d:?\d\d$/i, 'must have a sign before the offset; in a URL, encode + as %2B'],
  [/T\d\d(:\d\d)?(Z|[+-][\d:]+)?$/i, 'must have minutes and seconds, such as 2027-01-31T12:00:00Z'],
  [/T\d\d:\d\d:\d\d,/i, 'must have a period before the fraction of a second, such as 2027-01-31T12:00:00.5Z'],
  [/T\d\d:\d\d:\d\d(\.\d+)?$/i, 'must end with a time zone: Z, or an offset such as +01:00'],
  [/T\d\d:\d\d:\d\d(\.\d+)?[+-]\d\d$/i, 'must have minutes in its offset, such as +01:00']
]

/** Returns a message about an invalid format, or null if the format is valid. */
export const timestampFormIssue = (text: string): string | null => {
  if (DURATION.test(text)) return null
  if (DAY.test(text)) return dayIssue(text)
  const moment = MOMENT.exec(text)
  if (moment === null) return NEARLY.find(([form]) => form.test(text))?.[1] ?? TIMESTAMP_RULE
  const [, day = '', hour, minute, second, offsetHour = 0, offsetMinute = 0] = moment
  if (Number(hour) > 23) return 'must have an hour from 00 to 23; the end of a day is 00:00:00 of the next day'
  if (Number(second) === 60) return 'must not be a leap second; use 59 as the second'
  if (Number(minute) > 59 || Number(second) > 59) return 'must have minutes and seconds from 00 to 59'
  if (Number(offsetHour) > 23 || Number(offsetMinute) > 59) return 'must have an offset from -23:59 to +23:59'
  return dayIssue(day)
}

const dayIssue = (day: string): string | null => {
  const midnight = new Date(`${day}T00:00:00Z`)
  return !Number.isNaN(midnight.getTime()) && midnight.toISOString().startsWith(day)
    ? null
    : 'must be a date that exists, such as 2027-01-31'
}

/** The schema of a time in a query string. */
export const timestamp = { type: 'string', maxLength: 40, format: 'timestamp' } as const

/** Whether a duration counts from now into the past (`ago`) or into the future (`ahead`). */
export type Direction = 'ago' | 'ahead'

/** Converts a duration such as 30s, 15m, 12h, 90d, 6w or 1y (365 days) to seconds. Returns null for other strings. */
export const toSeconds = (duration: string): number | null => {
  const unit = DURATION.test(duration) ? SECONDS.get(duration.slice(-1)) : undefined
  return unit === undefined ? null : Number(duration.slice(0, -1)) * unit
}

/**
 * Parses an RFC 3339 timestamp, a day (which means midnight UTC), or a duration relative to `now`, in milliseconds
 * since 1970. Returns a message if the string is none of these, or if the year isn't from 0 to 9999.
 */
export const readTimestamp = (text: string, direction: Direction, now = Date.now()): Date | string => {
  const issue = timestampFormIssue(text)
  if (issue !== null) return issue
  const seconds = toSeconds(text)
  const timestamp =
    seconds === null ? new Date(text) : new Date(direction === 'ago' ? now - seconds * 1000 : now + seconds * 1000)
  return Number.isNaN(timestamp.getTime()) || timestamp.toISOString().length !== 24 ? TOO_FAR : timestamp
}

/** Parses an optional time whose format has been validated. Throws InvalidFields if the time is out of range. */
export const toTimestamp = (
  name: string,
  text: string | undefined,
  direction: Direction,
  now?: number
): Date | undefined => {
  if (text === undefined) return undefined
  const timestamp = readTimestamp(text, direction, now)
  if (typeof timestamp === 'string') {
    throw new InvalidFields({ issues: [{ path: [name], detail: `${name} ${timestamp}` }] })
  }
  return timestamp
}
