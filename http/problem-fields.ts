import type { FastifySchema } from 'fastify'
import type { FieldIssue } from '../domain/field-issue.ts'
import type { ErrorCode, ProblemError, ProblemField } from './problems.ts'

type Place = ProblemField['in']

/** Failures that are about one field, and what the field is called, which is not the same everywhere. */
const FIELDS: Readonly<Partial<Record<ErrorCode, readonly string[]>>> = {
  CLIENT_KEY_NAME_TAKEN: ['name'],
  DESCRIPTIVE_NAME_TAKEN: ['descriptive_name', 'new_app_descriptive_name'],
  EMAIL_TAKEN: ['email'],
  OWNER_NOT_FOUND: ['owner_id', 'transfer_to']
}

/**
 * The fields of a request that a failure is about. `place` is where they are, if validation found them; otherwise the
 * schema of the route says where a field is, and a field that the route does not have is left out.
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

/** Where the schema of a route has a field. */
const placeOf = (path: readonly string[], { body, querystring, params }: FastifySchema): Place | undefined => {
  const name = String(path[0])
  if (hasField(body, name)) return 'body'
  if (hasField(querystring, name)) return 'query'
  return hasField(params, name) ? 'path' : undefined
}

const hasField = (schema: unknown, name: string): boolean =>
  Object.hasOwn((schema as { properties?: object } | undefined)?.properties ?? {}, name)

/** A JSON pointer (RFC 6901). */
const toPointer = (path: readonly string[]): string =>
  path.map(name => `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
