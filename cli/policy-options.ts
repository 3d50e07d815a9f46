import type { XStatic } from 'typebox/schema'
import { readTimestamp, toSeconds } from '../http/timestamps.ts'
import { keyFields } from '../http/representations/key-fields.ts'
import type { ChangeKeyBody } from '../http/representations/key-fields.ts'
import { SCOPES, UNSCOPED } from '../domain/keys/policy/scopes.ts'
import { isPossibleScope } from '../domain/services/checks.ts'
import { UsageError } from './failures.ts'
import type { OptionSpecs, Values } from './options.ts'

/** The options for a key's policy. */
export const policyOptions = {
  scope: {
    value: '<scope>',
    multiple: true,
    choices: SCOPES,
    accepts: [UNSCOPED],
    acceptsOther: isPossibleScope,
    help: `a scope of the key, such as apps:read; * for all scopes of this API; orders:* for all scopes of the
service orders; may be repeated`
  },
  expires: {
    value: '<when>',
    help: `when the key expires: 90d, 12h or 1y from now, a date such as 2027-01-31, a timestamp such as
2027-01-31T12:00:00Z, or never`
  },
  'allow-ip': {
    value: '<range>',
    multiple: true,
    help: 'an IP address or CIDR range from which the key is accepted, or any; may be repeated'
  },
  rate: { value: '<limit>', help: "the rate limit, shared by all of the key's tokens, such as 100/60s; or none" },
  owner: { value: '<text>', help: 'the owner of the key, such as customer:4711; or none' },
  description: { value: '<text>', help: 'the purpose of the key' },
  metadata: { value: '<json>', help: 'a JSON object to store with the key' }
} as const satisfies OptionSpecs

type PolicyValues = Values<typeof policyOptions>

/** Converts the options to a request body, which isn't validated yet. Throws a UsageError if a value is malformed. */
export const policyBody = (values: PolicyValues): Partial<Record<keyof XStatic<typeof ChangeKeyBody>, unknown>> => ({
  ...(values.description === undefined ? {} : { description: values.description }),
  ...(values.owner === undefined ? {} : { owner: values.owner === 'none' ? null : values.owner }),
  ...(values.scope === undefined ? {} : { scopes: values.scope }),
  ...(values.expires === undefined ? {} : { expires_at: toExpiry(values.expires) }),
  ...(values['allow-ip'] === undefined ? {} : { allowed_ips: toRanges(values['allow-ip']) }),
  ...(values.rate === undefined ? {} : { rate_limit: toRate(values.rate) }),
  ...(values.metadata === undefined ? {} : { metadata: toObject(values.metadata) })
})

const toExpiry = (expires: string): string | null => {
  if (expires === 'never') return null
  const timestamp = readTimestamp(expires, 'ahead')
  if (typeof timestamp === 'string') {
    throw new UsageError(`--expires ${timestamp}. Use never for a key that does not expire.`)
  }
  return expires
}

const toRanges = (ranges: string[]): string[] => {
  if (!ranges.includes('any')) return ranges
  if (ranges.length > 1) {
    throw new UsageError('--allow-ip any cannot be combined with ranges. Specify either any or ranges.')
  }
  return []
}

const { max: MAX, window_seconds: WINDOW } = keyFields.rate_limit.properties

const toRate = (rate: string): object | null => {
  if (rate === 'none') return null
  const [, requests = '', time = '', rest] = /^([^/]*)\/([^/]*)(\/.*)?$/.exec(rate) ?? []
  const max = /^[1-9]\d{0,9}$/.test(requests) ? Number(requests) : 0
  const seconds = toSeconds(time) ?? 0
  if (rest !== undefined || (max === 0 && seconds === 0)) {
    throw new UsageError(
      '--rate must be a number of requests and a duration of at least one second, such as 100/60s, or none.'
    )
  }
  if (max < MAX.minimum || max > MAX.maximum) {
    throw new UsageError(
      `--rate must begin with a number of requests from ${MAX.minimum} to ${MAX.maximum}, such as 100 in 100/60s.`
    )
  }
  if (seconds < WINDOW.minimum || seconds > WINDOW.maximum) {
    throw new UsageError('--rate must end with a duration from 1s to 1d, such as 60s in 100/60s.')
  }
  return { max, window_seconds: seconds }
}

const toObject = (json: string): unknown => {
  try {
    return JSON.parse(json) as unknown
  } catch {
    throw new UsageError('--metadata must be a JSON object, such as \'{"team":"finance"}\'.')
  }
}
