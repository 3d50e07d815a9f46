import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { bearerChallenge } from '../../http/challenge.ts'
import type { RateStatus, Refused } from '../../domain/keys/verdict/verifier.ts'
import {
  AddressNotAllowed,
  BrowserNotAllowed,
  CredentialRequired,
  InsufficientScope,
  InvalidToken,
  LimitUndecided,
  RateLimited,
  TooManyHeaders,
  UserRequired
} from './client-key-errors.ts'

/** The reasons for a refusal that don't depend on the key. */
export type RequestRefusal =
  'no_credential' | 'malformed_header' | 'duplicate_header' | 'too_many_headers' | 'cross_site' | 'user_required'

/** A refused request. The reason `inactive` is from a remote verifier, which doesn't know more. */
export type RequestRefused = Refused<RequestRefusal | 'inactive'>

interface Challenge {
  readonly realm: string
  /** The scopes that the route requires. */
  readonly scopes: readonly string[]
}

type ToError = (refused: RequestRefused, reply: FastifyReply, challenge: Challenge) => FastifyError

/** The errors that reveal the reason for a refusal. All other reasons result in the same 401. */
const ERRORS: Readonly<Partial<Record<RequestRefused['reason'], ToError>>> = {
  no_credential: (_refused, reply, { realm }) => {
    reply.header('www-authenticate', bearerChallenge(realm))
    return new CredentialRequired()
  },
  too_many_headers: () => new TooManyHeaders(),
  cross_site: () => new BrowserNotAllowed(),
  user_required: () => new UserRequired(),
  address_not_allowed: () => new AddressNotAllowed(),
  insufficient_scope: (_refused, reply, { realm, scopes }) => {
    reply.header('www-authenticate', bearerChallenge(realm, 'insufficient_scope', scopes.join(' ')))
    return new InsufficientScope(scopes.join(' and '))
  },
  rate_limited: () => new RateLimited(),
  limit_undecided: ({ cause }) => new LimitUndecided({ cause })
}

/** Returns the error for a refused request, and sets the response's headers and status. */
export const errorOf: ToError = (refused, reply, challenge) => {
  const { reason, rate } = refused
  const error = (ERRORS[reason] ?? toInvalidToken)(refused, reply, challenge)
  if (rate !== undefined) setRateHeaders(reply, rate).header('retry-after', rate.resetSeconds)
  // @fastify/bearer-auth has already set another status, and Fastify wouldn't change it.
  reply.code(Number(error.statusCode))
  return error
}

const toInvalidToken: ToError = (_refused, reply, { realm }) => {
  reply.header('www-authenticate', bearerChallenge(realm, 'invalid_token'))
  return new InvalidToken()
}

/** Sets the headers that report the state of a rate limit (draft-ietf-httpapi-ratelimit-headers). */
export const setRateHeaders = (
  reply: FastifyReply,
  { max, windowSeconds, remaining, resetSeconds }: RateStatus
): FastifyReply =>
  reply
    .header('ratelimit-policy', `"client_key";q=${max};w=${windowSeconds}`)
    .header('ratelimit', `"client_key";r=${remaining};t=${resetSeconds}`)

/** Logs the reason for a refusal, which may be missing from the response, and the key if it's known. */
export const logRefusal = (request: FastifyRequest, { reason, token }: RequestRefused): void => {
  request.log.info(
    { reason, key: token?.key.id, method: request.method, route: request.routeOptions.url, address: request.ip },
    'client key refused'
  )
}
