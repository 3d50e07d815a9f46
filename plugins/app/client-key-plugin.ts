import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import type { AuthenticatorOptions } from '../../domain/keys/verdict/authenticator.ts'
import { verifierOf } from '../../domain/keys/service.ts'
import type { VerifierSettings } from '../../domain/keys/service.ts'
import type { ClientKeys } from '../../domain/keys/client-keys.ts'
import type { RemoteVerifier } from '../../domain/keys/verdict/remote.ts'
import type { Verify } from '../../domain/keys/verdict/verifier.ts'
import { KeysUnavailable } from './client-key-errors.ts'
import clientKeyAuth from './client-key-auth.ts'
import type { ClientKeyHookOptions, Decide } from './client-key-auth.ts'

/** The keys that `createClientKeys` returns, with scopes of any type. */
interface ManagedKeys {
  keys: Pick<ClientKeys, 'recorder' | 'scopes'> & Pick<ClientKeys<never>, 'verify'>
}

/** A list of keys, a lookup function, or both. */
type ListedKeys = AuthenticatorOptions & VerifierSettings

/** The keys of a running service, which the verifier asks. */
interface RemoteKeys {
  verifier: Pick<RemoteVerifier, 'service' | 'verify'>
}

/** The options for the plugin. `realm` is the realm in `WWW-Authenticate`. Default: `api`. */
export type ClientKeyPluginOptions = (ManagedKeys | ListedKeys | RemoteKeys) & Pick<ClientKeyHookOptions, 'realm'>

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
    const { verify, isScope } = sourceOf(options)
    if (!REALM.test(realm)) {
      throw new TypeError('realm must consist of printable ASCII characters, except quotes and backslashes')
    }
    await fastify.register(clientKeyAuth, { verify: orUnavailable(verify), realm })
    refuseUnknownScopes(fastify, isScope)
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

/** What decides on requests, and which scopes keys can have. */
interface Source {
  readonly verify: Decide
  readonly isScope: (scope: string) => boolean
}

const sourceOf = (options: ManagedKeys | ListedKeys | RemoteKeys): Source => {
  if ('verifier' in options) return remoteSource(options)
  if (!('keys' in options)) return { verify: verifierOf(options).verify, isScope: () => true }
  const { keys } = options
  return { verify: verifyOf(options), isScope: scope => keys.scopes.includes(scope) }
}

const remoteSource = (options: RemoteKeys & { keys?: unknown; secret?: unknown }): Source => {
  const { verifier } = options
  if ('keys' in options || 'secret' in options) throw new TypeError('verifier replaces keys and secret: remove them')
  if (!hasVerify(verifier)) throw new TypeError('verifier must be the return value of createVerifier')
  return { verify: verifier.verify, isScope: scope => scope.startsWith(`${verifier.service}:`) }
}

const hasVerify = (value: { readonly verify?: unknown } | undefined): boolean => typeof value?.verify === 'function'

// The type of scopes doesn't matter here, because refuseUnknownScopes checks the scopes that routes declare.
const verifyOf = ({ keys }: ManagedKeys): Verify => {
  if (!hasVerify(keys)) throw new TypeError('keys must be the return value of createClientKeys')
  return keys.verify as Verify
}

/** Wraps a `verify` function so that its errors result in a 503, which reveals nothing about the store. */
const orUnavailable =
  (verify: Decide): Decide =>
  async (...request) => {
    try {
      return await verify(...request)
    } catch (cause) {
      throw new KeysUnavailable({ cause })
    }
  }

/** Throws if a route declares a scope that keys can't have. */
const refuseUnknownScopes = (fastify: FastifyInstance, isScope: (scope: string) => boolean): void => {
  const isKnown = (scope: unknown): boolean => typeof scope === 'string' && scope !== 'none' && isScope(scope)

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
