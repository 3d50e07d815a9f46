import { randomUUID } from 'node:crypto'
import { isIP } from 'node:net'
import type { RemoteDemand, RemoteVerdict, RemoteVerifier } from '../../domain/keys/verdict/remote.ts'
import { hostIn } from '../../net/host.ts'
import { createBatches } from './batches.ts'
import { VerifierUnavailable } from './errors.ts'
import { createExchange } from './exchange.ts'
import { checkedSettings, isToken } from './options.ts'
import type { VerifierOptions } from './options.ts'
import { verdictsIn } from './verdicts.ts'
import type { Entry, Introspected } from './verdicts.ts'

/**
 * Creates a verifier, which asks a running service whether the tokens of requesters are accepted (RFC 7662). Create one
 * for the whole program.
 *
 * ```ts
 * const verifier = createVerifier({ url: 'https://keys.example.com', keyAccessToken, service: 'orders' })
 * const verdict = await verifier.verify(token, { scopes: ['orders:read'], address })
 * ```
 *
 * Nothing is remembered: each call is decided by the service after it was made. All calls in one turn of the event loop
 * share a request. If the service can't be asked, `verify` rejects with VerifierUnavailable, and the request must be
 * refused. Throws a TypeError if an option is invalid.
 */
export const createVerifier = (options: VerifierOptions): RemoteVerifier => {
  const settings = checkedSettings(options)
  const { service } = settings
  const { post, close } = createExchange(settings)
  const introspect = createBatches<Entry, Introspected>(async entries => {
    const sent = entries.map((entry, index) => (index === 0 ? { ...entry, ref: randomUUID() } : entry))
    return verdictsIn(await post(JSON.stringify(sent)), { service, sent })
  })
  let isClosed = false

  return {
    service,
    verify: async <R extends string>(token: unknown, demand: RemoteDemand<R> = {}): Promise<RemoteVerdict<R>> => {
      const { scopes: demanded = [], address, refusal } = demand
      const scopes = checkedScopes(demanded, service)
      if (refusal !== undefined) return { ok: false, reason: refusal }
      if (isClosed) throw new VerifierUnavailable('the verifier is closed')
      if (!isToken(token)) return { ok: false, reason: 'inactive' }
      const verdict = await introspect({ token, ...scopeMembers(scopes), ...addressMember(address) })
      // The service has checked the scopes. This protects from a service that ignores the parameter.
      return verdict.ok && !scopes.every(scope => verdict.key.scopes.includes(scope))
        ? { ok: false, reason: 'insufficient_scope' }
        : verdict
    },
    close: async () => {
      isClosed = true
      // Calls of this turn are sent at its end.
      await new Promise(setImmediate)
      await close()
    }
  }
}

/** A scope of a service, without `*`: a key may have `orders:*`, but each request needs particular scopes. */
const SCOPE = /^[a-z][a-z0-9-]*(?::[a-z0-9_.-]+)+$/

const checkedScopes = (scopes: unknown, service: string): readonly string[] => {
  const isValid = (scope: unknown): boolean =>
    typeof scope === 'string' && scope.startsWith(`${service}:`) && SCOPE.test(scope)
  if (Array.isArray(scopes) && scopes.every(isValid)) return scopes as readonly string[]
  throw new TypeError(`scopes must be an array of scopes of the service, such as ${service}:read`)
}

const scopeMembers = (scopes: readonly string[]): Pick<Entry, 'scope' | 'scope_error'> =>
  scopes.length === 0 ? {} : { scope: scopes.join(' '), scope_error: true }

// An invalid address is omitted, as the service would refuse the whole batch. Keys with allowed_ips are then refused.
const addressMember = (address: unknown): Pick<Entry, 'ip'> => {
  const [ip = ''] = hostIn(typeof address === 'string' ? address : '').split('%')
  return isIP(ip) === 0 ? {} : { ip }
}
