import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import type { AuthenticatorOptions } from '../../domain/keys/verdict/authenticator.ts'
import { verifierOf } from '../../domain/keys/service.ts'
import type { VerifierSettings } from '../../domain/keys/service.ts'
import type { ClientKeys } from '../../domain/keys/client-keys.ts'
import type { Verify } from '../../domain/keys/verdict/verifier.ts'
import { KeysUnavailable } from './client-key-errors.ts'
import clientKeyAuth from './client-key-auth.ts'
import type { ClientKeyHookOptions } from './client-key-auth.ts'

/** The keys that `createClientKeys` returns, with scopes of any type. */
interface ManagedKeys {
  keys: Pick<ClientKeys, 'recorder' | 'scopes'> & Pick<ClientKeys<never>, 'verify'>
}

/** A list of keys, a lookup function, or both. */
type ListedKeys = AuthenticatorOptions & VerifierSettings

/** The options for the plugin. `realm` is the realm in `WWW-Authenticate`. Default: `api`. */
export type ClientKeyPluginOptions = (ManagedKeys | ListedKeys) & Pick<ClientKeyHookOptions, 'realm'>

/**
 * Authenticates other servers by client keys, which they send as `Authorization: Bearer <key_access_token>` (RFC 6750).
 *
 * ```ts
 * const keys = createClientKeys({ store: createMemoryStore(), secret, scopes: ['reports:read'] })
 * await app.register(clientKeyAuth, { keys })
 * app.get(
 *   '/reports',
 *   { onRequest: app.requireClientKey, config: { scope: 'reports:read' } },
 *   async request => ({ for: keyPrincipalOf(request).key.name })
 * )
 * ```
 *
 * `requireClientKey` refuses a request if it has no active key. It also refuses the request if the key lacks a required
 * scope, doesn't allow the address, or has used up its rate limit. The reason why a token is invalid is logged as
 * `reason`, but not sent to the client.
 */
export default fp<ClientKeyPluginOptions>(
  async (fastify, { realm = 'api', ...options }) => {
    // The type of the scopes doesn't matter here, because refuseUnknownScopes checks the scopes that routes declare.
    const verify = 'keys' in options ? verifyOf(options) : verifierOf(options).verify
    if (!REALM.test(realm)) {
      throw new TypeError('realm must consist of printable ASCII characters, except quotes and backslashes')
    }
    await fastify.register(clientKeyAuth, { verify: orUnavailable(verify), realm })
    refuseUnknownScopes(fastify, 'keys' in options ? options.keys.scopes : null)
    if (!('keys' in options)) return
    const { recorder } = options.keys
    fastify.addHook('onClose', async () => {
      await recorder.flush()
    })
  },
  { name: 'client-key-plugin', fastify: '5.x' }
)

// The characters that a quoted string in WWW-Authenticate can contain without escaping.
const REALM = /^[\x20\x21\x23-\x5b\x5d-\x7e]+$/

const verifyOf = ({ keys }: { readonly keys?: { readonly verify?: unknown } }): Verify => {
  if (typeof keys?.verify !== 'function') throw new TypeError('keys must be the return value of createClientKeys')
  return keys.verify as Verify
}

/** Wraps a `verify` function so that its errors result in a 503, which reveals nothing about the store. */
const orUnavailable =
  (verify: Verify): Verify =>
  async (token, demand) => {
    try {
      return await verify(token, demand)
    } catch (cause) {
      throw new KeysUnavailable({ cause })
    }
  }

/** Throws if a route declares a scope that keys can't have. If `scopes` is null, any string can be a scope. */
const refuseUnknownScopes = (fastify: FastifyInstance, scopes: readonly string[] | null): void => {
  const isKnown = (scope: unknown): boolean =>
    typeof scope === 'string' && scope !== 'none' && (scopes === null || scopes.includes(scope))

  fastify.addHook('onRoute', ({ method, url, config: { scope } = {} }) => {
    if (scope === undefined || scope === null || scope === 'none') return
    if (scope.length === 0) {
      throw new Error(`${[method].flat().join()} ${url} declares no scope; use null to accept any key`)
    }
    const unknown = [scope].flat().filter(each => !isKnown(each))
    if (unknown.length === 0) return
    throw new Error(`${[method].flat().join()} ${url} requires the scope ${unknown.join()}, which no key can have`)
  })
}
