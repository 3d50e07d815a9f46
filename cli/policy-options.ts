import type { XStatic } from 'typebox/schema'
import { INSTANT } from '../json/validation.ts'
import type { ChangeKeyBody } from '../keys/fields.ts'
import { UsageError } from './command.ts'

/** The options that say what a key may do. */
export const policyOptions = {
  description: { type: 'string' },
  scope: { type: 'string', multiple: true },
  expires: { type: 'string' },
  'allow-ip': { type: 'string', multiple: true },
  rate: { type: 'string' },
  metadata: { type: 'string' }
} as const

export const POLICY_HELP = `  --scope <scope>       what the key may do, such as apps:read; several are several --scope; * is everything
  --expires <when>      90d, 12h, an instant such as 2027-01-31T12:00:00Z, or never
  --allow-ip <range>    where it may be used from: an IP address or CIDR range; several are several --allow-ip; any
  --rate <limit>        how often, over all its tokens: 100/60s; none
  --description <text>  what it is for
  --metadata <json>     a JSON object that is carried along`

interface PolicyValues {
  description?: string | undefined
  scope?: string[] | undefined
  expires?: string | undefined
  'allow-ip'?: string[] | undefined
  rate?: string | undefined
  metadata?: string | undefined
}

const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 }

/** A duration such as 90d, in seconds; null for what is none. */
export const toSeconds = (duration: string): number | null => {
  const [, count, unit] = /^(\d{1,9})([smhdw])$/.exec(duration) ?? []
  return unit === undefined ? null : Number(count) * SECONDS[unit]
}

/** What the options say of a key, as the body of a request would; a schema is yet to check it. Throws a UsageError. */
export const policyBody = (values: PolicyValues): Partial<Record<keyof XStatic<typeof ChangeKeyBody>, unknown>> => ({
  ...values.description === undefined ? {} : { description: values.description },
  ...values.scope === undefined ? {} : { scopes: values.scope },
  ...values.expires === undefined ? {} : { expires_at: toExpiry(values.expires) },
  ...values['allow-ip'] === undefined ? {} : { allowed_ips: toRanges(values['allow-ip']) },
  ...values.rate === undefined ? {} : { rate_limit: toRate(values.rate) },
  ...values.metadata === undefined ? {} : { metadata: toObject(values.metadata) }
})

const toExpiry = (expires: string): string | null => {
  if (expires === 'never') return null
  if (new RegExp(INSTANT).test(expires)) return expires
  const instant = new Date(Date.now() + (toSeconds(expires) ?? NaN) * 1000)
  if (Number.isNaN(instant.getTime()) || instant.getUTCFullYear() > 9999) {
    throw new UsageError('--expires must be a time from now such as 90d or 12h, an instant such as 2027-01-31T12:00:00Z, or never.')
  }
  return instant.toISOString()
}

const toRanges = (ranges: string[]): string[] => {
  if (!ranges.includes('any')) return ranges
  if (ranges.length > 1) throw new UsageError('--allow-ip any leaves nothing to add: name ranges, or any.')
  return []
}

const toRate = (rate: string): object | null => {
  if (rate === 'none') return null
  const [, max, window = ''] = /^(\d{1,10})\/(\w+)$/.exec(rate) ?? []
  const seconds = toSeconds(window)
  if (max === undefined || seconds === null) throw new UsageError('--rate must be so many requests in such a time, such as 100/60s, or none.')
  return { max: Number(max), window_seconds: seconds }
}

const toObject = (json: string): unknown => {
  try {
    return JSON.parse(json) as unknown
  } catch {
    throw new UsageError('--metadata must be a JSON object, such as \'{"team":"finance"}\'.')
  }
}
