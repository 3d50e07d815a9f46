import type { Ajv, Schema, ValidateFunction } from 'ajv'
import type {
  ContextConfigDefault,
  FastifyPluginAsync,
  FastifyPluginOptions,
  FastifySchema,
  FastifySchemaValidationError,
  FastifyTypeProvider,
  onRequestHookHandler,
  preValidationHookHandler,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
  RouteGenericInterface,
  RouteHandlerMethod
} from 'fastify'
import fp from 'fastify-plugin'
import type { XStatic } from 'typebox/schema'
import { bodyAjv, excesses, urlAjv } from '../../http/validation.ts'
import { isUtf8 } from 'node:buffer'
import type { IncomingHttpHeaders } from 'node:http'
import type { ProblemError } from '../../http/problems.ts'
import { BodyNotUtf8, UnsupportedCharset, UnsupportedContentCoding } from '../../http/errors.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Whether a request may come without the body that is described: it stands for an empty object. */
    optionalBody?: boolean
  }
}

/** Types requests by their JSON Schemas. */
export interface SchemaTypeProvider extends FastifyTypeProvider {
  validator: XStatic<this['schema']>
}

/** A plugin whose routes are typed by their JSON Schemas. */
export type RoutesPlugin = FastifyPluginAsync<FastifyPluginOptions, RawServerDefault, SchemaTypeProvider>

/** The handler of a route whose requests have these schemas. */
export type Handler<Schema extends FastifySchema> = RouteHandlerMethod<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  RouteGenericInterface,
  ContextConfigDefault,
  Schema,
  SchemaTypeProvider
>

/**
 * A validator that is compiled when it is first asked: to compile those of every route would take a tenth of each
 * start.
 */
const whenAsked = (ajv: Ajv, schema: Schema) => {
  let validate: ValidateFunction | undefined
  return (data: unknown): true | { error: FastifySchemaValidationError[] } => {
    const tooMuch = excesses(schema as object, data)
    if (tooMuch.length > 0) return { error: tooMuch as FastifySchemaValidationError[] }
    validate ??= ajv.compile(schema)
    return validate(data) ? true : { error: validate.errors as FastifySchemaValidationError[] }
  }
}

// Many clients name a media type for a body that has no bytes, and each another one.
const ignoreTypeOfNothing: onRequestHookHandler = ({ headers }, _reply, done) => {
  const { 'content-length': length = '0', 'transfer-encoding': encoding } = headers
  if (length === '0' && encoding === undefined) delete headers['content-type']
  done()
}

/** A schema of bodies that refuses what it does not know: a misspelt name must not be a field that is left out. */
const closed = (schema: unknown): unknown =>
  typeof schema === 'object' && schema !== null && 'properties' in schema && !('additionalProperties' in schema)
    ? { ...schema, additionalProperties: false }
    : schema

const asEmptyObject: preValidationHookHandler = (request, _reply, done) => {
  request.body ??= {}
  done()
}

/**
 * How requests are checked and replies written. A body must have the types it should have; only what arrives as text,
 * in a URL, is converted.
 */
export default fp(
  async fastify => {
    fastify.setValidatorCompiler<Schema>(({ schema, httpPart }) =>
      whenAsked(httpPart === 'body' ? bodyAjv : urlAjv, schema)
    )
    // Replies are small or are written before they come here; to compile a writer for each takes long at every start.
    fastify.setSerializerCompiler(() => JSON.stringify)
    fastify.removeContentTypeParser(['text/plain', 'application/json'])
    const parseJson = fastify.getDefaultJsonParser('error', 'error')
    fastify.addContentTypeParser<Buffer>('application/json', { parseAs: 'buffer' }, (request, body, done) => {
      // Many clients send the type with every request, whether it has a body or not.
      const { schema, config } = request.routeOptions
      if (body.length === 0 && (schema?.body === undefined || config.optionalBody === true)) {
        done(null)
        return
      }
      const problem = encodingProblem(request.headers, body)
      if (problem === undefined) void parseJson(request, body.toString(), done)
      else done(problem)
    })
    fastify.addHook('onRoute', route => {
      if (route.schema?.body !== undefined) route.schema = { ...route.schema, body: closed(route.schema.body) }
      if (route.config?.optionalBody !== true) return
      route.onRequest = [ignoreTypeOfNothing, ...[route.onRequest ?? []].flat()]
      route.preValidation = [asEmptyObject, ...[route.preValidation ?? []].flat()]
    })
  },
  { name: 'validation' }
)

const CHARSETS = /;\s*charset\s*=\s*("?)([^";]*)\1/gi
const UTF_8 = ['utf-8', 'utf8', 'us-ascii']

/** Why a body of JSON can't be read as its bytes are; undefined: it can (RFC 8259, section 8.1). */
export const encodingProblem = (headers: IncomingHttpHeaders, body: Buffer): ProblemError | undefined => {
  const { 'content-type': type = '', 'content-encoding': coding = 'identity' } = headers
  if (coding.toLowerCase() !== 'identity') return new UnsupportedContentCoding()
  for (const [, , charset = ''] of type.matchAll(CHARSETS)) {
    if (!UTF_8.includes(charset.trim().toLowerCase())) return new UnsupportedCharset()
  }
  return isUtf8(body) ? undefined : new BodyNotUtf8()
}
