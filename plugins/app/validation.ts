import type { Schema, ValidateFunction } from 'ajv'
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
import { InvalidFields } from '../../domain/errors.ts'
import { mergeReplies, problemReplies } from '../../http/replies.ts'
import { createUrlReader, urlIssues } from '../../http/url-values.ts'
import type { UrlSchema } from '../../http/url-values.ts'
import { ajv, excesses } from '../../http/validation.ts'
import type { Issue } from '../../http/validation-issues.ts'
import { isUtf8 } from 'node:buffer'
import type { IncomingHttpHeaders } from 'node:http'
import type { ProblemError } from '../../http/problems.ts'
import { BodyNotUtf8, RouteNotFound, UnsupportedCharset, UnsupportedContentCoding } from '../../http/errors.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Whether a request may omit the body. A missing body is treated as an empty object. */
    optionalBody?: boolean
    /** Whether unknown query parameters are ignored instead of rejected. */
    anyQuery?: boolean
  }
}

/** Derives request types from JSON Schemas. */
export interface SchemaTypeProvider extends FastifyTypeProvider {
  validator: XStatic<this['schema']>
}

/** A plugin whose routes have the types of their JSON Schemas. */
export type RoutesPlugin = FastifyPluginAsync<FastifyPluginOptions, RawServerDefault, SchemaTypeProvider>

/** The handler of a route with the given schemas. */
export type Handler<Schema extends FastifySchema> = RouteHandlerMethod<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  RouteGenericInterface,
  ContextConfigDefault,
  Schema,
  SchemaTypeProvider
>

type Check = (data: unknown) => true | { error: FastifySchemaValidationError[] }

/**
 * Creates a check that is compiled on first use. Compiling the checks for all routes would take 10 % of the startup
 * time.
 */
const bodyCheck = (schema: Schema): Check => {
  let validate: ValidateFunction | undefined
  return data => {
    const tooMuch = excesses(schema as object, data)
    if (tooMuch.length > 0) return failed(tooMuch)
    validate ??= ajv.compile(schema)
    return validate(data) ? true : failed(validate.errors as Issue[])
  }
}

/** Creates a check for path or query parameters. The check also converts them from strings. */
const urlCheck = (schema: UrlSchema): Check => {
  const check = bodyCheck(schema)
  const read = createUrlReader(schema)
  const hasNone = Object.keys(schema.properties).length === 0
  return data => {
    const values = data as Record<string, unknown>
    // Saves time, because most requests have no query.
    if (hasNone && Object.keys(values).length === 0) return true
    read(values)
    const result = check(values)
    return result === true ? true : failed(urlIssues(result.error))
  }
}

const failed = (issues: Issue[]): { error: FastifySchemaValidationError[] } => ({
  error: issues as FastifySchemaValidationError[]
})

// Many clients send a Content-Type without a body, with various media types.
const ignoreTypeOfEmptyBody: onRequestHookHandler = ({ headers }, _reply, done) => {
  const { 'content-length': length = '0', 'transfer-encoding': encoding } = headers
  if (length === '0' && encoding === undefined) delete headers['content-type']
  done()
}

/** Returns a schema that rejects unknown fields, so that misspelled fields aren't ignored. */
const closed = (schema: unknown): unknown =>
  typeof schema === 'object' && schema !== null && 'properties' in schema && !('additionalProperties' in schema)
    ? { ...schema, additionalProperties: false }
    : schema

/** Returns a schema for path parameters that rejects empty strings, which two consecutive slashes would result in. */
const filled = ({ properties, ...schema }: UrlSchema): UrlSchema => ({
  ...schema,
  properties: Object.fromEntries(
    Object.entries(properties).map(([name, each]) => [name, each.type === 'string' ? { minLength: 1, ...each } : each])
  )
})

const NO_PARAMETERS = { type: 'object', properties: {} } as const

/** Returns a documented route's schema with strict validation, and with the responses to refused requests. */
const strict = (schema: FastifySchema, isAnyQuery: boolean): FastifySchema => {
  const { body, params, querystring = NO_PARAMETERS } = schema
  return {
    ...schema,
    ...(body === undefined ? {} : { body: closed(body) }),
    ...(params === undefined ? {} : { params: filled(params as UrlSchema) }),
    ...(isAnyQuery ? {} : { querystring: closed(querystring) }),
    response: mergeReplies(
      schema.response as Record<number, object>,
      isAnyQuery ? {} : problemReplies(InvalidFields),
      params === undefined ? {} : problemReplies(RouteNotFound)
    )
  }
}

const asEmptyObject: preValidationHookHandler = (request, _reply, done) => {
  request.body ??= {}
  done()
}

/**
 * Sets up request validation and response serialization. Only parameters in URLs are converted to the types in their
 * schema. Documented routes reject unknown fields and query parameters.
 */
export default fp(
  async fastify => {
    fastify.setValidatorCompiler<Schema>(({ schema, httpPart }) =>
      httpPart === 'body' ? bodyCheck(schema) : urlCheck(schema as UrlSchema)
    )
    // Responses are small or already serialized. Compiling serializers for all routes would slow down startup.
    fastify.setSerializerCompiler(() => JSON.stringify)
    fastify.removeContentTypeParser(['text/plain', 'application/json'])
    const parseJson = fastify.getDefaultJsonParser('error', 'error')
    fastify.addContentTypeParser<Buffer>('application/json', { parseAs: 'buffer' }, (request, body, done) => {
      // Many clients send this Content-Type with every request, even without a body.
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
      const { schema, config } = route
      if (schema?.response !== undefined) route.schema = strict(schema, config?.anyQuery === true)
      if (route.config?.optionalBody !== true) return
      route.onRequest = [ignoreTypeOfEmptyBody, ...[route.onRequest ?? []].flat()]
      route.preValidation = [asEmptyObject, ...[route.preValidation ?? []].flat()]
    })
  },
  { name: 'validation' }
)

const CHARSETS = /;\s*charset\s*=\s*("?)([^";]*)\1/gi
const UTF_8 = ['utf-8', 'utf8', 'us-ascii']

/** Returns a problem if a JSON body is compressed or isn't UTF-8 (RFC 8259, section 8.1), or else undefined. */
export const encodingProblem = (headers: IncomingHttpHeaders, body: Buffer): ProblemError | undefined => {
  const { 'content-type': type = '', 'content-encoding': coding = 'identity' } = headers
  if (coding.toLowerCase() !== 'identity') return new UnsupportedContentCoding()
  for (const [, , charset = ''] of type.matchAll(CHARSETS)) {
    if (!UTF_8.includes(charset.trim().toLowerCase())) return new UnsupportedCharset()
  }
  return isUtf8(body) ? undefined : new BodyNotUtf8()
}
