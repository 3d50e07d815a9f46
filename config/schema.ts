import { isIP } from 'node:net'
import type { XStatic } from 'typebox/schema'
import { allowListFault } from '../keys/allow-list.ts'
import { listEntries } from './list.ts'

const MIN_SECRET_LENGTH = 32
const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const

const SIGN_UP = ['open', 'closed'] as const

/** What is wrong with a value, as the end of a sentence that never repeats the value; null: nothing is. */
export type Check = (value: string) => string | null

const checkSecret: Check = secret => {
  if (secret.length < MIN_SECRET_LENGTH) {
    return `is too short: ${MIN_SECRET_LENGTH} characters at least. Make one with: openssl rand -hex 32`
  }
  if (new Set(secret).size === 1) return 'is one character repeated. Make one with: openssl rand -hex 32'
  return null
}

const checkCurrentSecret: Check = secret =>
  secret.includes(',') || secret.trim() !== secret
    ? 'must not hold commas, nor blanks at its ends, since it could not go into CLIENT_SECRET_PREVIOUS later. Make one with: openssl rand -hex 32'
    : checkSecret(secret)

const checkEach = (check: Check): Check => list => {
  const faults = listEntries(list).flatMap((entry, index) => {
    const fault = check(entry)
    return fault === null ? [] : [`entry ${index + 1} ${fault}`]
  })
  return faults.length === 0 ? null : faults.join('; ')
}

const checkDatabaseUrl: Check = url =>
  /^file:[^?#]*[^?#/]$/.test(url) ? null : 'must be file: and the path of an SQLite database, such as file:./data/trivial.db'

const checkProxy: Check = proxy => {
  const [, address, bits] = /^([^/]*)(?:\/(\d{1,3}))?$/.exec(proxy) ?? []
  const version = isIP(address ?? '')
  const most = version === 4 ? 32 : 128
  const prefix = Number(bits ?? most)
  if (version === 0 || prefix > most) return 'is no IP address or CIDR range, such as 10.0.0.1 or 10.0.0.0/8'
  return prefix === 0 ? 'trusts every address; name your proxies' : null
}

const checkTrustProxy: Check = value =>
  value === 'false' ? null : value === 'true' ? 'must not be true; name the addresses of your proxies' : checkEach(checkProxy)(value)

const checkBaseUrl: Check = url =>
  URL.canParse(url) && /^https?:$/.test(new URL(url).protocol) ? null : 'must be an http: or https: URL, such as https://api.example.com'

const checkOrigin: Check = origin =>
  URL.canParse(origin) && /^https?:$/.test(new URL(origin).protocol) && new URL(origin).origin === origin && !origin.includes('*')
    ? null
    : 'is no origin: a scheme, a host and a port where it is not the default, such as https://app.example.com'

/**
 * Every variable the service reads, its default and its rule, as JSON Schema. `check` is a keyword that `config/read.ts`
 * defines; `mend` says how to mend what the other keywords find wrong.
 */
export const Config = {
  type: 'object',
  required: [
    'CLIENT_SECRET', 'CLIENT_SECRET_PREVIOUS', 'CLIENT_KEYS', 'CLIENT_KEY_JWT', 'DATABASE_URL', 'HOST', 'PORT', 'LOG_LEVEL',
    'TRUST_PROXY', 'BASE_URL', 'DEFAULT_LOAD_BALANCER', 'SIGN_UP', 'CORS_ORIGINS'
  ],
  properties: {
    CLIENT_SECRET: { type: 'string', check: checkCurrentSecret, mend: 'is not set. Make one with: openssl rand -hex 32' },
    CLIENT_SECRET_PREVIOUS: { type: 'string', default: '', check: checkEach(checkSecret) },
    CLIENT_KEYS: { type: 'string', default: '', check: checkEach(allowListFault) },
    CLIENT_KEY_JWT: { type: 'boolean', default: false, mend: 'must be true or false' },
    DATABASE_URL: { type: 'string', default: 'file:./data/trivial.db', check: checkDatabaseUrl },
    HOST: { type: 'string', default: 'localhost' },
    PORT: { type: 'integer', default: 3000, minimum: 0, maximum: 65535, mend: 'must be a port number from 0 to 65535' },
    LOG_LEVEL: { type: 'string', default: 'info', enum: LOG_LEVELS, mend: `must be one of ${LOG_LEVELS.join(', ')}` },
    TRUST_PROXY: { type: 'string', default: 'false', check: checkTrustProxy },
    BASE_URL: { type: 'string', default: 'https://staging.trivialapps.io', check: checkBaseUrl },
    DEFAULT_LOAD_BALANCER: { type: 'string', default: 'staging-lb' },
    SIGN_UP: { type: 'string', default: 'open', enum: SIGN_UP, mend: 'must be open or closed' },
    CORS_ORIGINS: { type: 'string', default: '', check: checkEach(checkOrigin) }
  }
} as const

export type Config = XStatic<typeof Config>
