import { rangeIssue } from '../../../net/addresses.ts'
import { InvalidFields } from '../../errors.ts'
import { PRINTABLE } from '../../json/printable.ts'
import { textsIn } from '../../json/value.ts'
import type { KeyChange, WantedKey } from '../client-key.ts'
import { UNSCOPED } from './scopes.ts'
import { credentialIssues } from '../token/shape.ts'

export const MAX_METADATA_BYTES = 4096
/** At most how many addresses and ranges a key may be used from. */
export const MAX_RANGES = 100
/** The longest window of a rate limit: a day. */
export const MAX_WINDOW_SECONDS = 86_400

/** No name of a key: the command line takes an id or a name, and - for standard input. */
export const LIKE_AN_ID = /^(-|env_[0-9a-f]{16})$/
/** The maximum length of the reason of a revocation. */
export const MAX_REASON = 500

const TEXT = new RegExp(PRINTABLE, 'u')
const MAX_REQUESTS = 1_000_000_000
// The text of a later instant is not ordered as those of others are.
const YEAR_10000 = Date.UTC(10_000, 0)

const isText = (value: unknown, maxLength: number): value is string =>
  typeof value === 'string' && value.length <= maxLength && TEXT.test(value)

const isCount = (value: unknown, max: number): boolean =>
  typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= max

const isTexts = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.every(entry => typeof entry === 'string')

const isRateLimit = (value: unknown): boolean =>
  typeof value === 'object' &&
  value !== null &&
  'max' in value &&
  'windowSeconds' in value &&
  Object.keys(value).length === 2 &&
  isCount(value.max, MAX_REQUESTS) &&
  isCount(value.windowSeconds, MAX_WINDOW_SECONDS)

const isJsonObject = (value: unknown): boolean => {
  if (typeof value !== 'string' || Buffer.byteLength(value) > MAX_METADATA_BYTES) return false
  try {
    const parsed: unknown = JSON.parse(value)
    if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) return false
    return textsIn(parsed).every(text => text.isWellFormed())
  } catch {
    return false
  }
}

const isRanges = (value: unknown): boolean =>
  isTexts(value) && value.length <= MAX_RANGES && value.every(range => rangeIssue(range) === null)

/** What each field must be: whether a value is that, and how a sentence says it. */
const RULES: Readonly<Record<keyof WantedKey, readonly [isGood: (value: unknown) => boolean, rule: string]>> = {
  name: [
    value => isText(value, 100) && !LIKE_AN_ID.test(value),
    'must be 1 to 100 visible characters, and must not look like the id of a key'
  ],
  description: [value => value === null || isText(value, 1000), 'must be at most 1000 visible characters, or null'],
  scopes: [value => isTexts(value) && value.length > 0, 'must be an array of one scope at least'],
  expiresAt: [
    value => value === null || (value instanceof Date && value.getTime() < YEAR_10000),
    'must be a valid Date before the year 10000, or null'
  ],
  enabled: [value => typeof value === 'boolean', 'must be true or false'],
  allowedIps: [isRanges, `must be an array of at most ${MAX_RANGES} IP addresses and CIDR ranges`],
  rateLimit: [
    value => value === null || isRateLimit(value),
    `must be null, or have max and windowSeconds (1 to ${MAX_WINDOW_SECONDS}), which are positive integers`
  ],
  metadata: [isJsonObject, `must be a JSON object as text, of at most ${MAX_METADATA_BYTES} bytes`]
}

const isKnown = (field: string): field is keyof WantedKey => Object.hasOwn(RULES, field)

const issuesOf = (given: readonly (readonly [string, unknown])[]): string[] =>
  given.flatMap(([field, value]) => {
    // An option that is not understood may have been meant as a limit.
    if (!isKnown(field)) return [`a field is not known; known are ${Object.keys(RULES).join(', ')}`]
    const [isGood, rule] = RULES[field]
    return isGood(value) ? [] : [`${field} ${rule}`]
  })

// A field that is undefined is left out.
const checked = <W extends KeyChange>(wanted: W, required: readonly string[]): W => {
  const given = Object.entries(wanted).filter(([, value]) => value !== undefined)
  const missing = required.filter(field => !given.some(([name]) => name === field))
  const issues = [...missing.map(field => `${field} is required`), ...issuesOf(given)]
  if (issues.length > 0) throw new InvalidFields({ errors: issues })
  const { name, description, metadata, scopes, allowedIps } = wanted
  const credentials = credentialIssues({ name, description, metadata })
  if (credentials.length > 0) throw new InvalidFields({ issues: credentials })
  return {
    ...(Object.fromEntries(given) as W),
    ...(scopes === undefined ? {} : { scopes: scopes.includes(UNSCOPED) ? [UNSCOPED] : [...new Set(scopes)] }),
    ...(allowedIps === undefined ? {} : { allowedIps: [...new Set(allowedIps)] })
  }
}

/** What a program wants of a new key, where types may not have checked it. Throws InvalidFields. */
export const checkedWanted = <W extends WantedKey>(wanted: W): W => checked(wanted, ['name'])

/** The same of a change, which may leave out anything. */
export const checkedChange = <W extends KeyChange>(change: W): W => checked(change, [])

/** Throws InvalidFields if the reason of a revocation, where types may not have checked it, can't be stored. */
export const refuseBadReason = (reason: unknown): void => {
  if (reason !== null && !isText(reason, MAX_REASON)) {
    throw new InvalidFields({ errors: [`reason must be at most ${MAX_REASON} visible characters, or null`] })
  }
}
