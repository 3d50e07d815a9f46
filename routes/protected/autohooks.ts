import type { FastifyPluginAsync, FastifySchema } from 'fastify'
import { mergeReplies, problemReplies } from '../../http/replies.ts'
import {
  AddressNotAllowed, BodyTooLarge, BrowserNotAllowed, CredentialRequired, InsufficientScope, InvalidToken, LimitUndecided, MalformedJson, RateLimited,
  ServiceUnavailable, UnsupportedMediaType
} from '../../problems/table.ts'

const refusals = problemReplies(CredentialRequired, InvalidToken, BrowserNotAllowed, AddressNotAllowed, RateLimited, ServiceUnavailable, LimitUndecided)
const badBodies = problemReplies(MalformedJson, BodyTooLarge, UnsupportedMediaType)

/**
 * Every route below this folder is for client keys that have the scope which it declares as `config.scope`, and its documentation
 * says so. One that declares none stops the start.
 */
const autohooks: FastifyPluginAsync = async fastify => {
  fastify.addHook('onRequest', fastify.requireClientKey)
  fastify.addHook('onRequest', fastify.enforcePolicy)

  fastify.addHook('onRoute', route => {
    const scope = route.config?.scope
    if (scope === undefined) throw new Error(`${String(route.method)} ${route.url} declares no scope`)
    const schema = route.schema as FastifySchema & { response: Record<number, object> }
    schema.security = [{ clientKey: scope === null ? [] : [scope] }]
    const lacking = scope === null ? {} : problemReplies(new InsufficientScope(scope))
    schema.response = mergeReplies(refusals, lacking, schema.body === undefined ? {} : badBodies, schema.response)
    // A body may take its time, and the key may be revoked meanwhile.
    if (schema.body !== undefined) route.preHandler = [fastify.requireClientKey, fastify.enforcePolicyAgain, ...[route.preHandler ?? []].flat()]
  })
}

export default autohooks
