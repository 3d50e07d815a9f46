import type { FastifySchema } from 'fastify'
import type { FieldIssue } from '../domain/field-issue.ts'
import type { ErrorCode, ProblemError, ProblemField } from './problems.ts'

type Place = ProblemField['in']

/** The errors that concern one field, with the field's names in different routes. */
const FIELDS: Readonly<Partial<Record<ErrorCode, readonly string[]>>> = {
  CLIENT_KEY_NAME_TAKEN: ['name'],
  DESCRIPTIVE_NAME_TAKEN: ['descriptive_name', 'new_app_descriptive_name'],
  EMAIL_TAKEN: ['email'],
  OWNER_NOT_FOUND: ['owner_id', 'transfer_to']
}

/**
 * Returns the request fields that an error concerns. `place` is the part of the request that failed validation. Without
 * it, the fields are looked up in the route's schema, and fields that aren't in the schema are left out.
 */
export const problemFields = (problem: ProblemError, schema: FastifySchema = {}, place?: Place): ProblemField[] => {
  const fields = issuesIn(problem).flatMap(({ path, detail }): ProblemField[] => {
    const found = place ?? placeOf(path, schema)
    return found === undefined ? [] : [{ in: found, pointer: toPointer(path), detail }]
  })
  return [...new Map(fields.map(field => [`${field.pointer} ${field.detail}`, field])).values()]
}

const issuesIn = ({ code, message, issues }: ProblemError): readonly FieldIssue[] =>
  issues ?? (FIELDS[code] ?? []).map(name => ({ path: [name], detail: message }))

/** Returns the part of a request that contains a field, according to the route's schema. */
const placeOf = (path: readonly string[], { body, querystring, params }: FastifySchema): Place | undefined => {
  const name = String(path[0])
  if (hasField(body, name)) return 'body'
  if (hasField(querystring, name)) return 'query'
  return hasField(params, name) ? 'path' : undefined
}

const hasField = (schema: unknown, name: string): boolean =>
  Object.hasOwn((schema as { properties?: object } | undefined)?.properties ?? {}, name)

/** Converts a path to a JSON pointer (RFC 6901). */
const toPointer = (path: readonly string[]): string =>
  path.map(name => `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
