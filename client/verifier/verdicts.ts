import type { RemoteAccepted, RemoteRefused } from '../../domain/keys/verdict/remote.ts'
import { VerifierUnavailable } from './errors.ts'
import type { Reply } from './exchange.ts'

/** One entry of a batch. */
export interface Entry {
  readonly token: string
  /** The demanded scopes, separated by spaces. */
  readonly scope?: string
  /** Whether the verdict reveals that a demanded scope is missing. Otherwise, this looks like an inactive token. */
  readonly scope_error?: true
  readonly ip?: string
}

/** An entry as it is sent. The first one of a batch has a `ref`, which the reply repeats. */
export interface SentEntry extends Entry {
  readonly ref?: string
}

interface Asked {
  readonly service: string
  /** The entries of the batch. */
  readonly sent: readonly SentEntry[]
}

/** A key that is active, with its scopes of the service; or the reason why the request is refused. */
export type Introspected = RemoteAccepted | RemoteRefused

type Members = Readonly<Record<string, unknown>>

const INACTIVE: RemoteRefused = { ok: false, reason: 'inactive' }
const INSUFFICIENT_SCOPE: RemoteRefused = { ok: false, reason: 'insufficient_scope' }

/**
 * Reads the reply to a batch. Throws VerifierUnavailable unless it has one well-formed verdict for each entry, and the
 * `ref` of the batch, because a verdict must never be used for the token of another entry. For example, a proxy might
 * send a reply twice, so that the second one would be read as the reply to the next request.
 */
export const verdictsIn = ({ status, body }: Reply, { service, sent }: Asked): Introspected[] => {
  if (status !== 200) throw new VerifierUnavailable(issueOf(status, service))
  const verdicts = parse(body)
  if (!Array.isArray(verdicts) || verdicts.length !== sent.length) throw malformed()
  for (const [index, { ref }] of sent.entries()) {
    if (refOf(verdicts[index]) !== ref) throw new VerifierUnavailable('the reply belongs to another request')
  }
  return verdicts.map(verdict => verdictOf(verdict, service))
}

const issueOf = (status: number, service: string): string => {
  if (status === 401) return 'the service refused keyAccessToken: configure the token of an active key'
  if (status === 403) {
    return `the key of keyAccessToken may not introspect here: give it the scope tokens:introspect:${service}`
  }
  if (status === 429) return 'the key of keyAccessToken has used up its rate limit: raise or remove the limit'
  if (status === 404) return 'the service has no introspection at this URL: check url'
  return `the service replied with status ${status}`
}

const malformed = (): VerifierUnavailable => new VerifierUnavailable("the service's reply is malformed: check url")

const parse = (body: string): unknown => {
  try {
    return JSON.parse(body)
  } catch {
    throw malformed()
  }
}

const isObject = (value: unknown): value is Members =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const refOf = (verdict: unknown): unknown => (isObject(verdict) ? verdict['ref'] : undefined)

const verdictOf = (verdict: unknown, service: string): Introspected => {
  if (!isObject(verdict)) throw malformed()
  const { active, error } = verdict
  if (active === false) return error === 'insufficient_scope' ? INSUFFICIENT_SCOPE : INACTIVE
  if (active !== true) throw malformed()
  const scopes = scopesIn(verdict, service)
  if (scopes.length === 0) return INACTIVE
  return { ok: true, key: { ...keyIn(verdict), scopes }, rate: null }
}

/** Returns the scopes of the service. A key may introspect several services, but only this one is asked about. */
const scopesIn = ({ scope = '' }: Members, service: string): string[] =>
  text(scope)
    .split(' ')
    .filter(each => each.startsWith(`${service}:`))

const keyIn = ({ client_id: id, username, owner = null, metadata = {}, exp = null }: Members) => {
  if (!isObject(metadata) || !isTime(exp)) throw malformed()
  return {
    id: text(id),
    name: text(username),
    owner: owner === null ? null : text(owner),
    metadata,
    expiresAt: exp === null ? null : new Date(exp * 1000)
  }
}

const isTime = (value: unknown): value is number | null => value === null || Number.isSafeInteger(value)

const text = (value: unknown): string => {
  if (typeof value !== 'string') throw malformed()
  return value
}
