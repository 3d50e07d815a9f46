import type { Ajv, Schema, ValidateFunction } from 'ajv'
import type { FastifyPluginAsync, FastifyPluginOptions, FastifySchemaValidationError, FastifyTypeProvider, RawServerDefault } from 'fastify'
import fp from 'fastify-plugin'
import type { XStatic } from 'typebox/schema'
import { bodyAjv, excesses, urlAjv } from '../json/validation.ts'

/** Types requests by their JSON Schemas. */
export interface SchemaTypeProvider extends FastifyTypeProvider {
  validator: XStatic<this['schema']>
}

/** A plugin whose routes are typed by their JSON Schemas. */
export type RoutesPlugin = FastifyPluginAsync<FastifyPluginOptions, RawServerDefault, SchemaTypeProvider>

/** A validator that is compiled when it is first asked: to compile those of every route would take a tenth of each start. */
const whenAsked = (ajv: Ajv, schema: Schema) => {
  let validate: ValidateFunction | undefined
  return (data: unknown): true | { error: FastifySchemaValidationError[] } => {
    const tooMuch = excesses(schema as object, data)
    if (tooMuch.length > 0) return { error: tooMuch as FastifySchemaValidationError[] }
    validate ??= ajv.compile(schema)
    return validate(data) ? true : { error: validate.errors as FastifySchemaValidationError[] }
  }
}

/**
 * How requests are checked and replies written. A body must have the types it should have; only what arrives as text, in a URL, is converted.
 */
export default fp(async fastify => {
  fastify.setValidatorCompiler<Schema>(({ schema, httpPart }) => whenAsked(httpPart === 'body' ? bodyAjv : urlAjv, schema))
  // Replies are small or are written before they come here; to compile a writer for each takes long at every start.
  fastify.setSerializerCompiler(() => JSON.stringify)
  fastify.removeContentTypeParser(['text/plain', 'application/json'])
  const parseJson = fastify.getDefaultJsonParser('error', 'error')
  fastify.addContentTypeParser<string>('application/json', { parseAs: 'string' }, (request, body, done) => {
    // Many clients send the type with every request, whether it has a body or not.
    if (body === '' && request.routeOptions.schema?.body === undefined) done(null)
    else parseJson(request, body, done)
  })
}, { name: 'validation' })
