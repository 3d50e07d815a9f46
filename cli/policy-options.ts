import type { XStatic } from 'typebox/schema'
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

/** A duration such as 90d, in seconds. Throws a UsageError, under the name of the option. */
export const toSeconds = (option: string, duration: string): number => {
  const [, count, unit] = /^(\d{1,9})([smhdw])$/.exec(duration) ?? []
  if (unit === undefined) throw new UsageError(`--${option} must be a number with s, m, h, d or w, such as 90d.`)
  return Number(count) * SECONDS[unit]
}

/** What the options say of a key, as the body of a request would; a schema is yet to check it. Throws a UsageError. */
export const policyBody = (values: PolicyValues): Partial<Record<keyof XStatic<typeof ChangeKeyBody>, unknown>> => ({
  ...values.description === undefined ? {} : { description: values.description },
  ...values.scope === undefined ? {} : { scopes: values.scope },
  ...values.expires === undefined ? {} : { expires_at: toExpiry(values.expires) },
  ...values['allow-ip'] === undefined ? {} : { allowed_ips: values['allow-ip'].filter(range => range !== 'any') },
  ...values.rate === undefined ? {} : { rate_limit: toRate(values.rate) },
  ...values.metadata === undefined ? {} : { metadata: toObject(values.metadata) }
})

const toExpiry = (expires: string): string | null => {
  if (expires === 'never') return null
  if (expires.includes('T')) return expires
  const instant = new Date(Date.now() + toSeconds('expires', expires) * 1000)
  if (Number.isNaN(instant.getTime()) || instant.getUTCFullYear() > 9999) throw new UsageError('--expires is beyond the year 9999; say never.')
  return instant.toISOString()
}

const toRate = (rate: string): object | null => {
  if (rate === 'none') return null
  const [, max, window] = /^(\d{1,10})\/(\w+)$/.exec(rate) ?? []
  if (max === undefined) throw new UsageError('--rate must be so many requests in such a time, such as 100/60s, or none.')
  return { max: Number(max), window_seconds: toSeconds('rate', window) }
}

const toObject = (json: string): unknown => {
  try {
    return JSON.parse(json) as unknown
  } catch {
    throw new UsageError('--metadata must be a JSON object, such as \'{"team":"finance"}\'.')
  }
}
