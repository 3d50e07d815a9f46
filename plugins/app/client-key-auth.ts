import bearerAuth from '@fastify/bearer-auth'
import type { verifyBearerAuth } from '@fastify/bearer-auth'
import type { ClientKeyTypes, FastifyError, FastifyReply, FastifyRequest, onRequestHookHandler } from 'fastify'
import fp from 'fastify-plugin'
import { bearerChallenge, REALM } from '../../http/challenge.ts'
import { mayLackHeaders } from '../../http/header-lines.ts'
import { createAuthenticator } from '../../domain/keys/authenticator.ts'
import type { Authenticate, AuthenticatorOptions, TokenRefusal, Verdict } from '../../domain/keys/authenticator.ts'
import type { KnownToken } from '../../domain/keys/client-key.ts'
import type { UsageRecorder } from '../../domain/keys/usage-recorder.ts'
import type { OpenLegacyToken } from '../../domain/keys/legacy-token.ts'
import type { ClientKeyPrincipal } from '../../domain/keys/principal.ts'
import { BrowserNotAllowed, CredentialRequired, InvalidToken, TooManyHeaders } from './client-key-errors.ts'

declare module 'fastify' {
  /**
   * For a service to merge its own types into: `scope` is the union of its scopes, any text by default, and `principal`
   * is who a request may act for, a client key by default.
   */
  // eslint-disable-next-line @typescript-eslint/no-empty-object-type -- it is there to be merged into
  interface ClientKeyTypes {}

  interface FastifyInstance {
    /** An `onRequest` hook: accepts a request with an active client key, and refuses any other. */
    requireClientKey: onRequestHookHandler
    /** The realm of every `WWW-Authenticate` that client keys are refused with. */
    clientKeyRealm: string
  }

  interface FastifyRequest {
    /** Who the request acts for; null until a hook has found out. */
    principal: RequestPrincipal | null
  }
}

type RequestPrincipal = ClientKeyTypes extends { principal: infer P extends { readonly kind: string } }
  ? P
  : ClientKeyPrincipal

/** What tells which tokens are allowed: a list of keys, a look-up, or both. */
export interface TokenOptions extends Omit<AuthenticatorOptions, 'openLegacyToken'> {
  /** Accept Trivial's own HS256 tokens for keys on the allow-list; false by default. */
  acceptLegacyTokens?: boolean
}

export type ClientKeyAuthOptions = (TokenOptions | { authenticate: Authenticate }) & {
  /** Records every known token that is refused. */
  usage?: Pick<UsageRecorder, 'refused'>
  /** Is called with the reason of each refusal. */
  onRefusal?: (reason: string) => void
  /** The realm in `WWW-Authenticate`; `trivial` by default. */
  realm?: string
}

/** Why a request was refused: the reason code in the log. */
type Refusal = TokenRefusal | 'no_credential' | 'malformed_header' | 'duplicate_header' | 'cross_site'

class Refused extends Error {
  readonly reason: Refusal
  /** The token, where it is known. */
  readonly token: KnownToken | undefined

  constructor(reason: Refusal, token?: KnownToken) {
    super(reason)
    this.reason = reason
    this.token = token
  }
}

const SCHEME_LENGTH = 'Bearer '.length
const REASONS: Readonly<Record<string, Refusal | undefined>> = {
  FST_BEARER_AUTH_MISSING_AUTHORIZATION_HEADER: 'no_credential',
  FST_BEARER_AUTH_INVALID_AUTHORIZATION_HEADER: 'malformed_header'
}

/**
 * Authenticates requests by client keys (RFC 6750).
 *
 * A refused request fails with a `statusCode` of 401 (`CREDENTIAL_REQUIRED`, `INVALID_TOKEN`) or 403
 * (`BROWSER_NOT_ALLOWED`) and has its `WWW-Authenticate` header set; the reason, which the reply hides, is logged once
 * at info as `reason`.
 */
export default fp<ClientKeyAuthOptions>(
  async (fastify, { realm = REALM, usage, onRefusal, ...options }) => {
    const authenticate = 'authenticate' in options ? options.authenticate : await authenticatorOf(options)

    await fastify.register(bearerAuth, {
      addHook: false,
      keys: [],
      specCompliance: 'rfc6749',
      verifyErrorLogLevel: 'trace',
      auth: (token, request) => {
        if (token === '' || request.headers.authorization?.length !== SCHEME_LENGTH + token.length) {
          throw new Refused('malformed_header')
        }
        if (hasDuplicateAuthorization(request)) throw new Refused('duplicate_header')
        if (mayLackHeaders(request)) throw new TooManyHeaders()
        return authenticate(token).then(verdict => accept(request, verdict))
      }
    })
    const verify = fastify.getDecorator<verifyBearerAuth>('verifyBearerAuth')

    fastify.decorateRequest('principal', null)
    fastify.decorate('clientKeyRealm', realm)
    const tellRefusal = (request: FastifyRequest, reply: FastifyReply, error: Error): Error => {
      const reason = reasonOf(error)
      if (reason === undefined) return error
      const token = error instanceof Refused ? error.token : undefined
      if (token !== undefined) usage?.refused(token, reason)
      onRefusal?.(reason)
      logRefusal(request, reason, token)
      return refuse(reply, reason, realm)
    }
    fastify.decorate('requireClientKey', (request, reply, done) => {
      verify(request, reply, error => {
        if (error === undefined) done()
        else done(tellRefusal(request, reply, error))
      })
    })
  },
  { name: 'client-key-auth', fastify: '5.x' }
)

// Loaded by client-keys.ts, which knows the configuration, and by client-key-plugin.ts for other services.
export const autoload = false

const authenticatorOf = async ({ acceptLegacyTokens = false, ...options }: TokenOptions): Promise<Authenticate> => {
  const secrets = [options.secret, ...(options.previousSecrets ?? [])]
  return createAuthenticator(
    acceptLegacyTokens ? { ...options, openLegacyToken: await legacyTokenOpener(secrets) } : options
  )
}

// Loaded only where it is wanted: it is a tenth of the time that the service takes to start. It stands by itself, since
// the compiler leaves the `.ts` of an import alone that is inside of a default export.
const legacyTokenOpener = async (secrets: readonly string[]): Promise<OpenLegacyToken> => {
  const { createLegacyTokenOpener } = await import('../../domain/keys/legacy-token.ts')
  return createLegacyTokenOpener(secrets)
}

/** One line for each refusal, with the reason that the reply may hide, and the key where it is known. */
export const logRefusal = (request: FastifyRequest, reason: string, token: KnownToken | undefined): void => {
  request.log.info(
    { reason, key: token?.key.id, method: request.method, route: request.routeOptions.url, address: request.ip },
    'client key refused'
  )
}

const accept = (request: FastifyRequest, verdict: Verdict): true => {
  if (!verdict.ok) throw new Refused(verdict.reason, verdict.token)
  const { token } = verdict
  if (isCrossSite(request)) throw new Refused('cross_site', token)
  request.principal = { kind: 'client_key', key: token.key, token }
  return true
}

const reasonOf = (error: Error & { code?: string }): Refusal | undefined =>
  error instanceof Refused ? error.reason : REASONS[String(error.code)]

const refuse = (reply: FastifyReply, reason: Refusal, realm: string): FastifyError => {
  if (reason === 'cross_site') {
    reply.code(403)
    return new BrowserNotAllowed()
  }
  const isMissing = reason === 'no_credential'
  reply.code(401).header('www-authenticate', bearerChallenge(realm, isMissing ? undefined : 'invalid_token'))
  return isMissing ? new CredentialRequired() : new InvalidToken()
}

/** Whether a request has more than one Authorization header: Node keeps the first and drops the rest in silence. */
export const hasDuplicateAuthorization = ({ raw: { rawHeaders } }: FastifyRequest): boolean => {
  let isFound = false
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = String(rawHeaders[i])
    if (name.length !== 'authorization'.length || name.toLowerCase() !== 'authorization') continue
    if (isFound) return true
    isFound = true
  }
  return false
}

/** Whether a browser sent the request from a page of another site (Fetch Metadata; RFC 6454 for Origin). */
const isCrossSite = (request: FastifyRequest): boolean => {
  const { origin, 'sec-fetch-site': site } = request.headers
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return true
  if (origin === undefined) return false
  if (!URL.canParse(origin)) return true
  const { protocol, host: originHost } = new URL(origin)
  // Read with the origin's scheme, so that a default port may be there or not.
  const own = `${protocol}//${request.host}`
  return !URL.canParse(own) || new URL(own).host !== originHost
}
