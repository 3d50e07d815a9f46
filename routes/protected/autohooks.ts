import type { FastifyPluginAsync, FastifySchema } from 'fastify'
import { problemReplies } from '../../problems/replies.ts'
import {
  BodyTooLarge, BrowserNotAllowed, CredentialRequired, InvalidToken, MalformedJson, ServiceUnavailable, UnsupportedMediaType
} from '../../problems/table.ts'

const refusals = problemReplies(CredentialRequired, InvalidToken, BrowserNotAllowed, ServiceUnavailable)
const badBodies = problemReplies(MalformedJson, BodyTooLarge, UnsupportedMediaType)

/** Every route below this folder is for client keys only, and its documentation says so. */
const autohooks: FastifyPluginAsync = async fastify => {
  fastify.addHook('onRequest', fastify.requireClientKey)

  fastify.addHook('onRoute', route => {
    const schema = route.schema as FastifySchema
    schema.security = [{ clientKey: [] }]
    schema.response = { ...refusals, ...schema.body === undefined ? {} : badBodies, ...schema.response as object }
  })
}

export default autohooks
