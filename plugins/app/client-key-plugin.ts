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

/** Keys that `createClientKeys` keeps, whatever their scopes are. */
interface ManagedKeys {
  keys: Pick<ClientKeys, 'recorder' | 'scopes'> & Pick<ClientKeys<never>, 'verify'>
}

/** A list of keys, a look-up of your own, or both. */
type ListedKeys = AuthenticatorOptions & VerifierSettings

/** The realm in `WWW-Authenticate` is `api` by default. */
export type ClientKeyPluginOptions = (ManagedKeys | ListedKeys) & Pick<ClientKeyHookOptions, 'realm'>

/**
 * Lets other servers in with client keys: `Authorization: Bearer <key_access_token>` (RFC 6750).
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
 * `requireClientKey` refuses a request without an active key, and one whose key lacks the scope of the route, or is
 * outside its address ranges or its rate limit. The reply to a bad token hides the reason; the log has it as `reason`.
 */
export default fp<ClientKeyPluginOptions>(
  async (fastify, { realm = 'api', ...options }) => {
    // Which scopes routes need is checked by refuseUnknownScopes.
    const verify = 'keys' in options ? verifyOf(options) : verifierOf(options).verify
    if (!REALM.test(realm)) {
      throw new TypeError('realm must be visible characters of ASCII without quotes and backslashes')
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

// What WWW-Authenticate can repeat between quotes.
const REALM = /^[\x20\x21\x23-\x5b\x5d-\x7e]+$/

const verifyOf = ({ keys }: { readonly keys?: { readonly verify?: unknown } }): Verify => {
  if (typeof keys?.verify !== 'function') throw new TypeError('keys must be what createClientKeys returns')
  return keys.verify as Verify
}

/** A verification whose failure is a 503 that says nothing of the store. */
const orUnavailable =
  (verify: Verify): Verify =>
  async (token, demand) => {
    try {
      return await verify(token, demand)
    } catch (cause) {
      throw new KeysUnavailable({ cause })
    }
  }

/** Throws for a route that declares a scope that no key can have, or that is none; null: any text is a scope. */
const refuseUnknownScopes = (fastify: FastifyInstance, scopes: readonly string[] | null): void => {
  const isKnown = (scope: unknown): boolean =>
    typeof scope === 'string' && scope !== 'none' && (scopes === null || scopes.includes(scope))

  fastify.addHook('onRoute', ({ method, url, config: { scope } = {} }) => {
    if (scope === undefined || scope === null || scope === 'none') return
    if (scope.length === 0) {
      throw new Error(`${[method].flat().join()} ${url} declares no scope; null stands for any key`)
    }
    const unknown = [scope].flat().filter(each => !isKnown(each))
    if (unknown.length === 0) return
    throw new Error(`${[method].flat().join()} ${url} asks for the scope ${unknown.join()}, which no key can have`)
  })
}
