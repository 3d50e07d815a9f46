import type { FastifyPluginAsync, FastifySchema } from 'fastify'
import { mergeReplies, problemReplies } from '../../http/replies.ts'
import { InsufficientScope, InvalidToken, ServiceUnavailable } from '../../domain/errors.ts'
import {
  AddressNotAllowed,
  AdminRequired,
  BodyTooLarge,
  BrowserNotAllowed,
  ClientKeyRequired,
  CredentialRequired,
  LimitUndecided,
  MalformedJson,
  RateLimited,
  UnsupportedMediaType,
  UserRequired
} from '../../http/errors.ts'

const refusals = problemReplies(
  CredentialRequired,
  InvalidToken,
  BrowserNotAllowed,
  AddressNotAllowed,
  RateLimited,
  ServiceUnavailable,
  LimitUndecided
)
const badBodies = problemReplies(MalformedJson, BodyTooLarge, UnsupportedMediaType)

const forUsers = { any: {}, admin: problemReplies(AdminRequired), none: problemReplies(ClientKeyRequired) }

/**
 * Every route below this folder is for client keys that have the scope which it declares as `config.scope`, and for
 * users as
 * `config.users` says; its documentation says so. One that does not declare both stops the start. What a user may do to
 * which app or organization is for the stores to tell.
 */
const autohooks: FastifyPluginAsync = async fastify => {
  fastify.addHook('onRequest', fastify.admit)

  fastify.addHook('onRoute', route => {
    const { scope, users } = route.config ?? {}
    if (scope === undefined || users === undefined) {
      throw new Error(`${String(route.method)} ${route.url} does not declare a scope and its users`)
    }
    const schema = route.schema as FastifySchema & { response: Record<number, object> }
    schema.security = [
      ...(scope === 'none' ? [] : [{ clientKey: scope === null ? [] : [scope] }]),
      ...(users === 'none' ? [] : [{ userSession: [] }, { accessToken: [], client: [], uid: [] }])
    ]
    const lacking = scope === null ? {} : problemReplies(scope === 'none' ? UserRequired : new InsufficientScope(scope))
    schema.response = mergeReplies(
      refusals,
      lacking,
      forUsers[users],
      schema.body === undefined ? {} : badBodies,
      schema.response
    )
    // A body may take its time, and the key may be revoked, or the session ended, meanwhile.
    if (schema.body !== undefined) route.preHandler = [fastify.admitAgain, ...[route.preHandler ?? []].flat()]
  })
}

export default autohooks
