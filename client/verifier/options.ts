import { isIP } from 'node:net'

export interface VerifierOptions {
  /** The URL of the service that has the keys, such as `https://keys.example.com`. It may contain a path. */
  readonly url: string | URL
  /** The token of a key with the scope `tokens:introspect:<service>`. The verifier sends it with each request. */
  readonly keyAccessToken: string
  /** The name of the service that your program provides, such as `orders`. */
  readonly service: string
  /** The maximum time in milliseconds that a request to the service may take. Defaults to 2,000. */
  readonly timeoutMs?: number | undefined
  /** The certificates to trust instead of the well-known ones, in PEM format. Only for https. */
  readonly ca?: string | Buffer | readonly (string | Buffer)[] | undefined
}

export interface VerifierSettings extends Pick<VerifierOptions, 'keyAccessToken' | 'service' | 'ca'> {
  /** The URL of the endpoint. */
  readonly endpoint: URL
  readonly timeoutMs: number
}

const DEFAULT_TIMEOUT_MS = 2000
const MAX_TIMEOUT_MS = 60_000
const SERVICE = /^[a-z][a-z0-9-]{1,40}$/
const ENDPOINT = 'introspect/batch'

/** The longest token that is sent. Longer ones can't be tokens of the service, and would fill a batch. */
const MAX_TOKEN = 4096
/** A b64token (RFC 6750, section 2.1). */
const TOKEN = /^[\w.~+/-]+=*$/

export const isToken = (value: unknown): value is string =>
  typeof value === 'string' && value.length <= MAX_TOKEN && TOKEN.test(value)

/** Throws a TypeError that names the option to correct. The message doesn't contain its value. */
export const checkedSettings = (options: VerifierOptions): VerifierSettings => {
  const { keyAccessToken, service, timeoutMs = DEFAULT_TIMEOUT_MS, ca } = options
  if (!isToken(keyAccessToken)) throw new TypeError('keyAccessToken must be a key_access_token, as printed once')
  if (typeof service !== 'string' || !SERVICE.test(service)) {
    throw new TypeError('service must be the name of your service, such as orders')
  }
  if (!Number.isInteger(timeoutMs) || timeoutMs < 1 || timeoutMs > MAX_TIMEOUT_MS) {
    throw new TypeError(`timeoutMs must be an integer from 1 to ${MAX_TIMEOUT_MS}`)
  }
  return { endpoint: endpointOf(options.url), keyAccessToken, service, timeoutMs, ca }
}

const endpointOf = (text: string | URL): URL => {
  const url = URL.canParse(String(text)) ? new URL(text) : null
  if (url === null || !['http:', 'https:'].includes(url.protocol)) {
    throw new TypeError('url must begin with http:// or https://')
  }
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') {
    throw new TypeError('url must not contain credentials, a query or a fragment')
  }
  if (url.protocol === 'http:' && !isLoopback(url.hostname)) warnOfPlainHttp()
  url.pathname = `${url.pathname.replace(/\/$/, '')}/${ENDPOINT}`
  return url
}

const isLoopback = (hostname: string): boolean =>
  hostname === 'localhost' || hostname === '[::1]' || (isIP(hostname) === 4 && hostname.startsWith('127.'))

// A private network without TLS is common, so this is no error.
const warnOfPlainHttp = (): void => {
  process.emitWarning('the verifier sends tokens unencrypted, and accepts forged replies; use https', {
    type: 'SecurityWarning',
    code: 'TRIVIAL_VERIFIER_HTTP'
  })
}
