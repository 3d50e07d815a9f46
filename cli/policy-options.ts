import type { XStatic } from 'typebox/schema'
import { readInstant, toSeconds } from '../http/instants.ts'
import { keyFields } from '../http/representations/key-fields.ts'
import type { ChangeKeyBody } from '../http/representations/key-fields.ts'
import { SCOPES, UNSCOPED } from '../domain/keys/policy/scopes.ts'
import { UsageError } from './failures.ts'
import type { OptionSpecs, Values } from './options.ts'

/** The options that say what a key may do. */
export const policyOptions = {
  scope: {
    value: '<scope>',
    multiple: true,
    choices: SCOPES,
    accepts: [UNSCOPED],
    help: 'what the key may do, such as apps:read; several are several --scope; * is everything'
  },
  expires: {
    value: '<when>',
    help: '90d, 12h, 1y, a day such as 2027-01-31, an instant such as 2027-01-31T12:00:00Z, or never'
  },
  'allow-ip': {
    value: '<range>',
    multiple: true,
    help: 'where it may be used from: an IP address or CIDR range; several are several --allow-ip; or any'
  },
  rate: { value: '<limit>', help: 'how often, over all its tokens, such as 100/60s; or none' },
  description: { value: '<text>', help: 'what it is for' },
  metadata: { value: '<json>', help: 'a JSON object that is carried along' }
} as const satisfies OptionSpecs

type PolicyValues = Values<typeof policyOptions>

/** What the options say of a key, as the body of a request would; a schema is yet to check it. Throws a UsageError. */
export const policyBody = (values: PolicyValues): Partial<Record<keyof XStatic<typeof ChangeKeyBody>, unknown>> => ({
  ...(values.description === undefined ? {} : { description: values.description }),
  ...(values.scope === undefined ? {} : { scopes: values.scope }),
  ...(values.expires === undefined ? {} : { expires_at: toExpiry(values.expires) }),
  ...(values['allow-ip'] === undefined ? {} : { allowed_ips: toRanges(values['allow-ip']) }),
  ...(values.rate === undefined ? {} : { rate_limit: toRate(values.rate) }),
  ...(values.metadata === undefined ? {} : { metadata: toObject(values.metadata) })
})

const toExpiry = (expires: string): string | null => {
  if (expires === 'never') return null
  const instant = readInstant(expires, 'ahead')
  if (typeof instant === 'string') throw new UsageError(`--expires ${instant}. For no expiry, write never.`)
  return expires
}

const toRanges = (ranges: string[]): string[] => {
  if (!ranges.includes('any')) return ranges
  if (ranges.length > 1) throw new UsageError('--allow-ip any leaves nothing to add: name ranges, or any.')
  return []
}

const { max: MAX, window_seconds: WINDOW } = keyFields.rate_limit.properties

const toRate = (rate: string): object | null => {
  if (rate === 'none') return null
  const [, requests = '', time = '', rest] = /^([^/]*)\/([^/]*)(\/.*)?$/.exec(rate) ?? []
  const max = /^\d{1,10}$/.test(requests) ? Number(requests) : 0
  const seconds = toSeconds(time) ?? 0
  if (rest !== undefined || (max === 0 && seconds === 0)) {
    throw new UsageError('--rate must be a number and a time of at least a second, such as 100/60s, or none.')
  }
  if (max < MAX.minimum || max > MAX.maximum) {
    throw new UsageError(
      `--rate must begin with a number of requests, from ${MAX.minimum} to ${MAX.maximum}, such as the 100 of 100/60s.`
    )
  }
  if (seconds < WINDOW.minimum || seconds > WINDOW.maximum) {
    throw new UsageError(
      `--rate must end with a time of at least a second and at most a day (1s to 1d), such as the 60s of 100/60s.`
    )
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
