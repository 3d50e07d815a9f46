import fp from 'fastify-plugin'
import type { KeyService } from '../../domain/keys/standalone.ts'
import clientKeyAuth from './client-key-auth.ts'
import type { TokenOptions } from './client-key-auth.ts'
import clientKeyPolicy from './client-key-policy.ts'
import type { RateLimitStore } from './client-key-policy.ts'

/** Keys that `createKeyService` keeps. */
interface ManagedKeys {
  keys: Pick<KeyService, 'authenticate' | 'recorder' | 'scopes'>
}

export type ClientKeyPluginOptions = (ManagedKeys | TokenOptions) & {
  /** Where requests are counted, for keys that have a rate limit; the memory of this process by default. */
  rateLimitStore?: RateLimitStore
  /** The realm in `WWW-Authenticate`; `api` by default. */
  realm?: string
}

/**
 * Lets other servers in with client keys: `Authorization: Bearer <key_access_token>` (RFC 6750).
 *
 * ```ts
 * const keys = createKeyService({ store: createMemoryStore(), secret, scopes: ['reports:read'] })
 * await app.register(clientKeyAuth, { keys })
 * app.get(
 *   '/reports',
 *   { onRequest: [app.requireClientKey, app.enforcePolicy], config: { scope: 'reports:read' } },
 *   async request => ({ for: keyPrincipalOf(request).key.name })
 * )
 * ```
 *
 * `requireClientKey` refuses a request without an active key, and `enforcePolicy` one whose key has not the scope of
 * the route, or breaks its address ranges or its rate limit. The reply hides the reason; the log tells it as `reason`.
 */
export default fp<ClientKeyPluginOptions>(
  async (fastify, { realm = 'api', rateLimitStore, ...options }) => {
    const policy = rateLimitStore === undefined ? {} : { countedIn: { store: rateLimitStore } }
    if (!('keys' in options)) {
      await fastify.register(clientKeyAuth, { ...options, realm })
      await fastify.register(clientKeyPolicy, policy)
      return
    }
    const { authenticate, recorder: usage, scopes } = options.keys
    await fastify.register(clientKeyAuth, { authenticate, usage, realm })
    await fastify.register(clientKeyPolicy, { ...policy, usage })
    fastify.addHook('onRoute', ({ method, url, config: { scope } = {} }) => {
      if (typeof scope === 'string' && scope !== 'none' && !scopes.includes(scope)) {
        throw new Error(`${[method].flat().join()} ${url} asks for the scope ${scope}, which no key can have`)
      }
    })
    fastify.addHook('onClose', async () => {
      await usage.flush()
    })
  },
  { name: 'client-key-plugin', fastify: '5.x' }
)

// For other services; this one loads its parts in client-keys.ts, which knows the configuration.
export const autoload = false
