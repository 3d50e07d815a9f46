import bearerAuth from '@fastify/bearer-auth'
import type { verifyBearerAuth } from '@fastify/bearer-auth'
import type {
  ClientKeyTypes,
  FastifyError,
  FastifyInstance,
  FastifyReply,
  FastifyRequest,
  HookHandlerDoneFunction,
  onRequestHookHandler
} from 'fastify'
import fp from 'fastify-plugin'
import { REALM } from '../../http/challenge.ts'
import { mayLackHeaders } from '../../http/header-lines.ts'
import { keyPrincipalOf } from '../../domain/keys/verdict/principal.ts'
import type { ClientKeyPrincipal, VerifiedKeyPrincipal } from '../../domain/keys/verdict/principal.ts'
import type { RemoteAccepted, RemoteVerdict } from '../../domain/keys/verdict/remote.ts'
import type { Accepted, Demand, Verdict } from '../../domain/keys/verdict/verifier.ts'
import { hasDuplicateAuthorization, isCrossSite } from './client-key-headers.ts'
import { errorOf, logRefusal, setRateHeaders } from './client-key-refusals.ts'
import type { RequestRefusal, RequestRefused } from './client-key-refusals.ts'

declare module 'fastify' {
  /**
   * Types that a service can set by declaration merging: `scope` is the union of its scopes (default: `string`), and
   * `principal` is the type of `request.principal` (default: a client key principal).
   */
  // eslint-disable-next-line @typescript-eslint/no-empty-object-type -- a service merges its types into it
  interface ClientKeyTypes {}

  interface FastifyContextConfig {
    /**
     * The scope or scopes that a client key needs for the route. If null, any key is accepted. If `none`, no key is
     * accepted. Default: `none`.
     */
    scope?: ClientKeyScope | readonly ClientKeyScope[] | null | 'none'
  }

  interface FastifyInstance {
    /**
     * An `onRequest` hook that only accepts requests whose client key may use the route. If you call it in your own
     * hook, await it. It rejects if the request is refused.
     */
    requireClientKey: ClientKeyHook
  }

  interface FastifyRequest {
    /** The principal that the request acts for, or null until a hook has authenticated the request. */
    principal: RequestPrincipal | null
  }
}

type ClientKeyScope = ClientKeyTypes extends { scope: infer S extends string } ? S : string

type RequestPrincipal = ClientKeyTypes extends { principal: infer P extends { readonly kind: string } }
  ? P
  : ClientKeyPrincipal

type Done = HookHandlerDoneFunction

/** An `onRequest` hook that can also be awaited. */
export interface ClientKeyHook {
  (request: FastifyRequest, reply: FastifyReply, done: Done): void
  (request: FastifyRequest, reply: FastifyReply): Promise<void>
}

/** Decides whether a request is accepted. */
export type Decide = (
  token: string,
  demand: Demand<RequestRefusal>,
  request: FastifyRequest
) => Promise<Verdict<RequestRefusal> | RemoteVerdict<RequestRefusal>>

export interface ClientKeyHookOptions {
  /** The realm in `WWW-Authenticate`. Default: `trivial`. */
  realm?: string
  /** The origin at which browsers reach the service, if the `Host` header may differ from it. Default: null. */
  publicOrigin?: string | null
  /** Called with the reason for each refusal. */
  onRefusal?: (reason: string) => void
}

export type ClientKeyAuthOptions = ClientKeyHookOptions & { verify: Decide }

/** An error that carries a refusal through `@fastify/bearer-auth` to the hook. */
class RefusedError extends Error {
  readonly refused: RequestRefused

  constructor(refused: RequestRefused) {
    super(refused.reason)
    this.refused = refused
  }
}

const SCHEME_LENGTH = 'Bearer '.length
const REASONS: Readonly<Record<string, RequestRefusal | undefined>> = {
  FST_BEARER_AUTH_MISSING_AUTHORIZATION_HEADER: 'no_credential',
  FST_BEARER_AUTH_INVALID_AUTHORIZATION_HEADER: 'malformed_header'
}

/**
 * Authenticates and authorizes requests by client keys (RFC 6750). The key must be active and have the scopes that the
 * route declares in `config.scope`. The request must comply with the key's `allowed_ips` and `rate_limit`.
 *
 * A refused request fails with a `statusCode` of 401 (`CREDENTIAL_REQUIRED`, `INVALID_TOKEN`), 403
 * (`BROWSER_NOT_ALLOWED`, `ADDRESS_NOT_ALLOWED`, `USER_REQUIRED`, `INSUFFICIENT_SCOPE`), 429 (`RATE_LIMITED`) or 503
 * (`LIMIT_UNDECIDED`). The reason is logged as `reason`, at level `info`. A 401 doesn't reveal it to the client.
 */
export default fp<ClientKeyAuthOptions>(
  async (fastify, { verify, ...options }) => {
    refuseOtherPrincipal(fastify)
    fastify.decorateRequest('principal', null)
    fastify.decorate('requireClientKey', await createClientKeyHook(fastify, verify, options))
  },
  { name: 'client-key-auth', fastify: '5.x' }
)

// A service with a remote verifier declares the other type of its principals.
const principalOf = (verdict: Accepted | RemoteAccepted): ClientKeyPrincipal | VerifiedKeyPrincipal =>
  'token' in verdict
    ? { kind: 'client_key', key: verdict.key, token: verdict.token, rate: verdict.rate }
    : { kind: 'client_key', key: verdict.key, rate: verdict.rate }

/** Creates a hook that only accepts requests whose token `decide` accepts. */
export const createClientKeyHook = async (
  fastify: FastifyInstance,
  decide: Decide,
  { realm = REALM, publicOrigin = null, onRefusal }: ClientKeyHookOptions = {}
): Promise<ClientKeyHook> => {
  const authenticate = await bearerParser(fastify, (token, request) =>
    decide(token, demandOf(request, publicOrigin), request).then(verdict => {
      if (!verdict.ok) throw new RefusedError(verdict)
      request.principal = principalOf(verdict) as ClientKeyPrincipal
      return true
    })
  )
  const hook: onRequestHookHandler = (request, reply, done) => {
    authenticate(request, reply, error => {
      if (error === undefined) {
        const { rate } = keyPrincipalOf(request)
        if (rate !== null) setRateHeaders(reply, rate)
        done()
        return
      }
      const refused = refusedBy(error)
      if (refused === null) {
        // @fastify/bearer-auth has already set another status, and Fastify wouldn't change it.
        reply.code((error as FastifyError).statusCode ?? 500)
        done(error)
        return
      }
      onRefusal?.(refused.reason)
      logRefusal(request, refused)
      done(errorOf(refused, reply, { realm, scopes: scopesOf(request) }))
    })
  }
  return awaitable(hook)
}

/** Returns a hook that can be called with a callback, as Fastify does, or awaited in another async hook. */
const awaitable = (hook: onRequestHookHandler): ClientKeyHook => {
  const call = function (this: FastifyInstance, request: FastifyRequest, reply: FastifyReply, done?: Done) {
    if (done !== undefined) {
      hook.call(this, request, reply, done)
      return undefined
    }
    return new Promise<void>((resolve, reject) => {
      hook.call(this, request, reply, error => {
        if (error === undefined) resolve()
        else reject(error)
      })
    })
  }
  return call as ClientKeyHook
}

type Check = (token: string, request: FastifyRequest) => Promise<true>

/**
 * Creates a hook that parses tokens with `@fastify/bearer-auth`. The plugin is registered in a separate context,
 * because the host application may use it too.
 */
const bearerParser = async (fastify: FastifyInstance, check: Check): Promise<verifyBearerAuth> => {
  let verify: verifyBearerAuth | undefined
  await fastify.register(async scope => {
    await scope.register(bearerAuth, {
      addHook: false,
      keys: [],
      specCompliance: 'rfc6749',
      verifyErrorLogLevel: 'trace',
      auth: (token, request) => {
        if (token === '' || request.headers.authorization?.length !== SCHEME_LENGTH + token.length) {
          throw new RefusedError({ ok: false, reason: 'malformed_header' })
        }
        if (hasDuplicateAuthorization(request)) throw new RefusedError({ ok: false, reason: 'duplicate_header' })
        if (mayLackHeaders(request)) throw new RefusedError({ ok: false, reason: 'too_many_headers' })
        return check(token, request)
      }
    })
    verify = scope.getDecorator<verifyBearerAuth>('verifyBearerAuth')
  })
  return verify as verifyBearerAuth
}

const scopesByName = new Map<string, readonly string[]>()

/** Returns the scopes that a request's route requires. The array for a single scope is cached. */
const scopesOf = ({ routeOptions: { config } }: FastifyRequest): readonly string[] => {
  const { scope } = config
  if (typeof scope !== 'string') return scope ?? []
  const scopes = scopesByName.get(scope) ?? [scope]
  scopesByName.set(scope, scopes)
  return scopes
}

const demandOf = (request: FastifyRequest, publicOrigin: string | null): Demand<RequestRefusal> => ({
  scopes: scopesOf(request),
  address: request.ip,
  userAgent: request.headers['user-agent'],
  refusal: refusalOf(request, publicOrigin)
})

const refusalOf = (request: FastifyRequest, publicOrigin: string | null): RequestRefusal | undefined => {
  if (isCrossSite(request, publicOrigin)) return 'cross_site'
  const { scope = 'none' } = request.routeOptions.config
  return scope === 'none' || scope?.length === 0 ? 'user_required' : undefined
}

const refusedBy = (error: Error & { code?: string }): RequestRefused | null => {
  if (error instanceof RefusedError) return error.refused
  const reason = REASONS[String(error.code)]
  return reason === undefined ? null : { ok: false, reason }
}

const refuseOtherPrincipal = (fastify: FastifyInstance): void => {
  if (fastify.hasDecorator('requireClientKey')) {
    throw new Error('client-key-auth is already registered in this context. Register it once.')
  }
  if (!fastify.hasRequestDecorator('principal')) return
  throw new Error(
    'client-key-auth sets request.principal, but another plugin has decorated requests with principal. Rename that ' +
      'decorator, or register the two plugins in separate contexts.'
  )
}
