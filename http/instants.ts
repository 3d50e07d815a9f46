import { Ajv } from 'ajv'
import addFormats from 'ajv-formats'
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

const ajv = addFormats.default(new Ajv({ meta: false, validateSchema: false }), ['date', 'date-time'])
const DAY = { type: 'string', format: 'date' }
// RFC 3339 lets a space stand for the T; a query string would have it as a plus, which looks like a time zone.
const MOMENT = { type: 'string', format: 'date-time', pattern: '^\\S*$' }

/** Whether a text is a time: an instant of RFC 3339, a day (from midnight UTC), or a duration such as 90d. */
export const hasInstantForm = (text: string): boolean =>
  DURATION.test(text) || ajv.validate(DAY, text) || ajv.validate(MOMENT, text)

/** What a text of another form must be, as the end of a sentence. */
export const INSTANT_RULE =
  'must be an instant with its time zone, such as 2027-01-31T12:00:00Z, a day, such as 2027-01-31, or a ' +
  'duration, such as 12h, 90d or 1y'

/** The schema of a time in a query string. */
export const instant = { type: 'string', maxLength: 40, format: 'instant' } as const

/** Where a duration leads, counted from now: `ago` into the past, `ahead` into the future. */
export type Direction = 'ago' | 'ahead'

/** A duration in seconds: 30s, 15m, 12h, 90d, 6w or 1y, which is 365 days. Answers null for what is none. */
export const toSeconds = (duration: string): number | null => {
  const unit = DURATION.test(duration) ? SECONDS.get(duration.slice(-1)) : undefined
  return unit === undefined ? null : Number(duration.slice(0, -1)) * unit
}

/**
 * The instant that a text means: an instant of RFC 3339, midnight UTC of a day, or a duration counted from `now`
 * (milliseconds since 1970). Answers null for anything else, and outside of the years 0 to 9999.
 */
export const readInstant = (text: string, direction: Direction, now = Date.now()): Date | null => {
  if (!hasInstantForm(text)) return null
  const seconds = toSeconds(text)
  const instant =
    seconds === null ? new Date(text) : new Date(direction === 'ago' ? now - seconds * 1000 : now + seconds * 1000)
  return Number.isNaN(instant.getTime()) || instant.toISOString().length !== 24 ? null : instant
}

/** Reads a time whose form has been checked, where there is one. Throws InvalidFields, naming the field. */
export const toInstant = (
  name: string,
  text: string | undefined,
  direction: Direction,
  now?: number
): Date | undefined => {
  if (text === undefined) return undefined
  const instant = readInstant(text, direction, now)
  if (instant === null) {
    throw new InvalidFields({ errors: [`${name} is too far away`] })
  }
  return instant
}
