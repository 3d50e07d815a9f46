import { accessSync, constants } from 'node:fs'
import { databaseUrlIssue, postgresUrlIssue } from '../net/database-url.ts'
import type { XStatic } from 'typebox/schema'
import { rangeIssue } from '../net/addresses.ts'
import { normalizePublicUrl, publicUrlIssue } from '../net/public-url.ts'
import { redisUrlIssue } from '../net/redis-url.ts'
import { allowListIssue } from '../domain/keys/verdict/environment-keys.ts'

const MIN_SECRET_LENGTH = 32
const NODE_NAME = /^[^\p{C}]{0,100}$/u
const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const

/** The variables whose values are or contain secrets. */
export const SECRETS = [
  'CLIENT_SECRET',
  'CLIENT_SECRET_PREVIOUS',
  'CLIENT_KEYS',
  'DATABASE_URL',
  'DATABASE_LISTEN_URL',
  'REDIS_URL'
] as const

const SIGN_UP = ['open', 'closed'] as const

/**
 * Returns what is wrong with a value, or null if the value is fine. The string completes a sentence and never contains
 * the value.
 */
export type Check = (value: string) => string | null

type ListCheck = (entries: readonly string[]) => string | null

/** The check for a list's entries, and the value that means an empty list. */
export interface ListRule {
  readonly check: ListCheck
  readonly none: string
}

const checkSecret: Check = secret => {
  if (secret.length < MIN_SECRET_LENGTH) {
    return `must have at least ${MIN_SECRET_LENGTH} characters. Generate one with: openssl rand -hex 32`
  }
  if (new Set(secret).size === 1) return 'consists of one repeated character. Generate one with: openssl rand -hex 32'
  return null
}

const checkCurrentSecret: Check = secret =>
  secret.includes(',') || secret.trim() !== secret
    ? 'must not contain commas, or begin or end with whitespace, because CLIENT_SECRET_PREVIOUS is a comma-separated ' +
      'list. Generate one with: openssl rand -hex 32'
    : checkSecret(secret)

const checkEach =
  (check: Check): ListCheck =>
  entries => {
    const issues = entries.flatMap((entry, index) => {
      const issue = check(entry)
      return issue === null ? [] : [`entry ${index + 1} ${issue}`]
    })
    return issues.length === 0 ? null : issues.join('; ')
  }

const checkProxy: Check = proxy => rangeIssue(proxy) ?? widthIssue(proxy)

// Two /1 ranges contain every address. The widest private ranges are 10.0.0.0/8 and fc00::/7.
const widthIssue: Check = range => {
  const [address = '', bits] = range.split('/')
  if (bits === undefined || Number(bits) >= (address.includes(':') ? 7 : 8)) return null
  return 'trusts too many addresses; list your proxies, in ranges no larger than /8 for IPv4 and /7 for IPv6'
}

const checkTrustProxy: ListCheck = entries =>
  entries.join() === 'true' ? 'must not be true; list the addresses of your proxies' : checkEach(checkProxy)(entries)

/** Returns the schema of a comma-separated list. Whitespace around entries is ignored, and so are empty entries. */
const list = (check: ListCheck, none = '') => ({ type: 'string', default: '', entries: { check, none } }) as const

const checkReadable: Check = path => {
  try {
    if (path !== '') accessSync(path, constants.R_OK)
    return null
  } catch {
    return 'must be the path to a readable file with PEM certificates'
  }
}

const checkListenUrl: Check = url => (url === '' ? null : postgresUrlIssue(url))

const checkNodeName: Check = name => (NODE_NAME.test(name) ? null : 'must have at most 100 printable characters')

const port = { minimum: 0, maximum: 65535, hint: 'must be a port number from 0 to 65535' } as const

const checkEndpoint: Check = url =>
  url === '' || (URL.canParse(url) && /^https?:$/.test(new URL(url).protocol))
    ? null
    : 'must be an http: or https: URL, such as http://127.0.0.1:4318'

const checkBaseUrl: Check = url =>
  URL.canParse(url) && /^https?:$/.test(new URL(url).protocol)
    ? null
    : 'must be an http: or https: URL, such as https://api.example.com'

const checkPublicUrl: Check = url => (url === '' ? null : publicUrlIssue(url))

const checkRedisUrl: Check = url => (url === '' ? null : redisUrlIssue(url))

const checkOrigin: Check = origin =>
  URL.canParse(origin) &&
  /^https?:$/.test(new URL(origin).protocol) &&
  new URL(origin).origin === origin &&
  !origin.includes('*')
    ? null
    : 'is not an origin: a scheme, a host and any non-default port, such as https://app.example.com'

/**
 * The JSON Schema of every variable that the service reads, with its default and its rules. `config/read.ts` defines
 * the keywords `texts`, `check`, `normalize` and `entries`. `hint` is the message if a standard keyword such as
 * `minimum` fails.
 */
export const Config = {
  type: 'object',
  additionalProperties: false,
  texts: true,
  required: [
    'CLIENT_SECRET',
    'CLIENT_SECRET_PREVIOUS',
    'ALLOW_NEW_SECRET',
    'CLIENT_KEYS',
    'CLIENT_KEY_JWT',
    'DATABASE_URL',
    'DATABASE_CA',
    'DATABASE_LISTEN_URL',
    'DATABASE_POOL_SIZE',
    'KEY_LEASE_MS',
    'NODE_NAME',
    'ALLOW_COPIED_DATABASE',
    'ALLOW_SAMPLE_DATA',
    'REDIS_URL',
    'HOST',
    'PORT',
    'METRICS_HOST',
    'METRICS_PORT',
    'OTEL_EXPORTER_OTLP_ENDPOINT',
    'OTEL_SERVICE_NAME',
    'LOG_LEVEL',
    'TRUST_PROXY',
    'PUBLIC_URL',
    'BASE_URL',
    'DEFAULT_LOAD_BALANCER',
    'SIGN_UP',
    'CORS_ORIGINS'
  ],
  properties: {
    CLIENT_SECRET: {
      type: 'string',
      check: checkCurrentSecret,
      hint: 'is not set. Generate one with: openssl rand -hex 32'
    },
    CLIENT_SECRET_PREVIOUS: list(checkEach(checkSecret)),
    ALLOW_NEW_SECRET: { type: 'boolean', default: false, hint: 'must be true or false' },
    CLIENT_KEYS: list(checkEach(allowListIssue)),
    CLIENT_KEY_JWT: { type: 'boolean', default: false, hint: 'must be true or false' },
    DATABASE_URL: { type: 'string', default: 'file:./data/trivial.db', check: databaseUrlIssue },
    DATABASE_CA: { type: 'string', default: '', check: checkReadable },
    DATABASE_LISTEN_URL: { type: 'string', default: '', check: checkListenUrl },
    DATABASE_POOL_SIZE: {
      type: 'integer',
      default: 10,
      minimum: 1,
      maximum: 1000,
      hint: 'must be a number of connections from 1 to 1000'
    },
    KEY_LEASE_MS: {
      type: 'integer',
      default: 2000,
      minimum: 0,
      maximum: 60_000,
      hint: 'must be a number of milliseconds from 0 to 60000'
    },
    NODE_NAME: { type: 'string', default: '', check: checkNodeName },
    ALLOW_COPIED_DATABASE: { type: 'boolean', default: false, hint: 'must be true or false' },
    ALLOW_SAMPLE_DATA: { type: 'boolean', default: false, hint: 'must be true or false' },
    REDIS_URL: { type: 'string', default: '', check: checkRedisUrl },
    HOST: { type: 'string', default: '127.0.0.1' },
    PORT: { type: 'integer', default: 3000, ...port },
    METRICS_HOST: { type: 'string', default: '127.0.0.1' },
    METRICS_PORT: { type: ['integer', 'null'], default: null, ...port },
    OTEL_EXPORTER_OTLP_ENDPOINT: { type: 'string', default: '', check: checkEndpoint },
    OTEL_SERVICE_NAME: { type: 'string', default: 'trivial-api' },
    LOG_LEVEL: { type: 'string', default: 'info', enum: LOG_LEVELS, hint: `must be one of ${LOG_LEVELS.join(', ')}` },
    TRUST_PROXY: list(checkTrustProxy, 'false'),
    PUBLIC_URL: { type: 'string', default: '', check: checkPublicUrl, normalize: normalizePublicUrl },
    BASE_URL: { type: 'string', default: 'https://staging.trivialapps.io', check: checkBaseUrl },
    DEFAULT_LOAD_BALANCER: { type: 'string', default: 'staging-lb' },
    SIGN_UP: { type: 'string', default: 'open', enum: SIGN_UP, hint: 'must be open or closed' },
    CORS_ORIGINS: list(checkEach(checkOrigin))
  }
} as const

type Variables = (typeof Config)['properties']

export type Config = {
  [Name in keyof Variables]: Variables[Name] extends { entries: ListRule } ? string[] : XStatic<Variables[Name]>
}
