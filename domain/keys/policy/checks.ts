import { isDeepStrictEqual } from 'node:util'
import { rangeIssue } from '../../../net/addresses.ts'
import { InvalidFields } from '../../errors.ts'
import { PRINTABLE } from '../../json/printable.ts'
import { canonicalJson, textsIn } from '../../json/value.ts'
import type { KeyChange, Metadata, WantedKey } from '../client-key.ts'
import { UNSCOPED } from './scopes.ts'
import { credentialIssues } from '../token/shape.ts'

export const MAX_METADATA_BYTES = 4096
/** The maximum number of addresses and ranges in the `allowed_ips` of a key. */
export const MAX_RANGES = 100
/** The maximum length of a rate limit's window: a day. */
export const MAX_WINDOW_SECONDS = 86_400

/** Names that keys can't have. The command line accepts an id or a name, and `-` for standard input. */
export const LIKE_AN_ID = /^(-|env_[0-9a-f]{16})$/
/** The maximum length of the owner of a key. */
export const MAX_OWNER = 255
/** The maximum length of the reason for a revocation. */
export const MAX_REASON = 500

const TEXT = new RegExp(PRINTABLE, 'u')
const MAX_REQUESTS = 1_000_000_000
// Later times have longer string forms, which sort incorrectly.
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

// A value that JSON would change, such as NaN or a Date, is refused, because another value would be stored.
const isJsonObject = (value: unknown): boolean => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  try {
    const json = JSON.stringify(value)
    if (Buffer.byteLength(json) > MAX_METADATA_BYTES || !isDeepStrictEqual(JSON.parse(json), value)) return false
    return textsIn(value).every(text => text.isWellFormed())
  } catch {
    return false
  }
}

/** Returns a copy of metadata that doesn't depend on the order of its members. */
export const canonicalMetadata = (metadata: object): Metadata => JSON.parse(canonicalJson(metadata)) as Metadata

const isRanges = (value: unknown): boolean =>
  isTexts(value) && value.length <= MAX_RANGES && value.every(range => rangeIssue(range) === null)

/** The rule of each field: a function that checks a value, and the end of a sentence that describes the rule. */
const RULES: Readonly<Record<keyof WantedKey, readonly [isGood: (value: unknown) => boolean, rule: string]>> = {
  name: [
    value => isText(value, 100) && !LIKE_AN_ID.test(value),
    'must be 1 to 100 visible characters, and must not look like the id of a key'
  ],
  description: [value => value === null || isText(value, 1000), 'must be at most 1000 visible characters, or null'],
  owner: [value => value === null || isText(value, MAX_OWNER), `must be 1 to ${MAX_OWNER} visible characters, or null`],
  scopes: [value => isTexts(value) && value.length > 0, 'must be an array of at least one scope'],
  expiresAt: [
    value => value === null || (value instanceof Date && value.getTime() < YEAR_10000),
    'must be a valid Date before the year 10000, or null'
  ],
  enabled: [value => typeof value === 'boolean', 'must be true or false'],
  allowedIps: [isRanges, `must be an array of at most ${MAX_RANGES} IP addresses and CIDR ranges`],
  rateLimit: [
    value => value === null || isRateLimit(value),
    `must be null, or have the positive integers max and windowSeconds (at most ${MAX_WINDOW_SECONDS})`
  ],
  metadata: [isJsonObject, `must be a plain object that JSON can represent, in at most ${MAX_METADATA_BYTES} bytes`]
}

const isKnown = (field: string): field is keyof WantedKey => Object.hasOwn(RULES, field)

const issuesOf = (given: readonly (readonly [string, unknown])[]): string[] =>
  given.flatMap(([field, value]) => {
    // An unknown option is refused, because it may have been intended as a limit.
    if (!isKnown(field)) return [`a field is unknown; the known fields are ${Object.keys(RULES).join(', ')}`]
    const [isGood, rule] = RULES[field]
    return isGood(value) ? [] : [`${field} ${rule}`]
  })

// Fields that are undefined count as omitted.
const checked = <W extends KeyChange>(wanted: W, required: readonly string[]): W => {
  const given = Object.entries(wanted).filter(([, value]) => value !== undefined)
  const missing = required.filter(field => !given.some(([name]) => name === field))
  const issues = [...missing.map(field => `${field} is required`), ...issuesOf(given)]
  if (issues.length > 0) throw new InvalidFields({ errors: issues })
  const { name, description, owner, metadata, scopes, allowedIps } = wanted
  const credentials = credentialIssues({ name, description, owner, metadata: textsIn(metadata).join('\n') })
  if (credentials.length > 0) throw new InvalidFields({ issues: credentials })
  return {
    ...(Object.fromEntries(given) as W),
    ...(scopes === undefined ? {} : { scopes: scopes.includes(UNSCOPED) ? [UNSCOPED] : [...new Set(scopes)] }),
    ...(allowedIps === undefined ? {} : { allowedIps: [...new Set(allowedIps)] }),
    ...(metadata === undefined ? {} : { metadata: canonicalMetadata(metadata) })
  }
}

/** Checks the fields of a new key, including their types. Throws InvalidFields. */
export const checkedWanted = <W extends WantedKey>(wanted: W): W => checked(wanted, ['name'])

/** Checks the fields of a change, including their types. All fields are optional. Throws InvalidFields. */
export const checkedChange = <W extends KeyChange>(change: W): W => checked(change, [])

/** Throws InvalidFields if the owner whose keys are to be revoked is invalid, for example because of its type. */
export const refuseBadOwner = (owner: unknown): void => {
  if (!isText(owner, MAX_OWNER)) {
    throw new InvalidFields({ errors: [`owner must be 1 to ${MAX_OWNER} visible characters`] })
  }
}

/** Throws InvalidFields if the reason for a revocation can't be stored, for example because of its type. */
export const refuseBadReason = (reason: unknown): void => {
  if (reason !== null && !isText(reason, MAX_REASON)) {
    throw new InvalidFields({ errors: [`reason must be at most ${MAX_REASON} visible characters, or null`] })
  }
}
