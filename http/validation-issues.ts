import type { FieldIssue } from '../domain/field-issue.ts'
import { PRINTABLE } from '../domain/json/printable.ts'
import { KEY_SCOPE, SCOPE_RULE } from '../domain/keys/policy/scopes.ts'
import { redact } from '../net/redaction.ts'
import { timestampFormIssue } from './timestamps.ts'

/** A validation issue from Ajv. The types are less strict than Ajv's, so that they also match Fastify's issues. */
export interface Issue {
  keyword: string
  instancePath: string
  params: Record<string, unknown>
  parentSchema?: object
  data?: unknown
  message?: string
}

/** The pattern of an owner in a query string. */
export const OWNER = '^(User|Organization):[1-9]\\d{0,14}$'

/** The pattern of a generation, which identifies the secret that sealed a token. */
export const GENERATION = '^[0-9a-f]{8}$'

/**
 * The pattern of a client key's id: a UUID for managed keys, or `env_` and 16 hexadecimal digits for environment keys.
 */
export const KEY_ID = '^(?:[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|env_[0-9a-f]{16})$'

/** Converts issues to field errors, which never contain values that a client sent. */
export const fieldIssues = (issues: readonly Issue[]): FieldIssue[] =>
  issues.map(issue => {
    const path = issue.instancePath.split('/').slice(1).map(unescaped)
    const member = memberOf(issue)
    return { path: member === undefined ? path : [...path, member], detail: sentence(issue, path.join('.')) }
  })

/** Unescapes a name in a JSON pointer (RFC 6901). */
const unescaped = (name: string): string => name.replaceAll('~1', '/').replaceAll('~0', '~')

/** Returns the name of a missing or unknown field, or undefined for other issues and for names that can't be shown. */
const memberOf = ({ keyword, params }: Issue): string | undefined => {
  if (keyword === 'required') return String(params['missingProperty'])
  return keyword === 'additionalProperties' ? nameOf(params['additionalProperty']) : undefined
}

/** Returns a field name that a client sent, or undefined if it may contain something else, such as a credential. */
const nameOf = (name: unknown): string | undefined =>
  typeof name === 'string' && /^[A-Za-z_][\w-]{0,39}$/.test(name) && redact(name) === name ? name : undefined

const TYPES: Readonly<Record<string, string>> = {
  array: 'an array',
  boolean: 'a boolean',
  integer: 'an integer',
  number: 'a number',
  object: 'an object',
  string: 'a string'
}

const typeOf = (name: unknown): string => TYPES[String(name)] ?? String(name)

const counted = (count: string, one: string, many: string): string => `${count} ${count === '1' ? one : many}`

const patterns: Readonly<Record<string, string>> = {
  [PRINTABLE]: 'must be well-formed text with at least one visible character and no control characters',
  [GENERATION]: 'must be 8 hexadecimal digits, as printed by npm run key:secrets',
  [KEY_ID]: 'must be the id of a client key; copy it from the Link header of the previous page',
  [KEY_SCOPE]: SCOPE_RULE,
  [OWNER]: 'must be User: or Organization: followed by an id, such as User:3'
}

const sentence = (issue: Issue, path: string): string => {
  const { keyword, params, parentSchema, data, message = 'is not valid' } = issue
  const limit = String(params['limit'])
  switch (keyword) {
    case 'required':
      return `${[path, memberOf(issue)].filter(Boolean).join('.')} is required`
    case 'type':
      return `${path || 'the body'} must be ${[params['type']].flat().map(typeOf).join(' or ')}`
    case 'digits':
      return `${path} must be a decimal integer, such as 20`
    case 'once':
      return `${path} must be sent only once`
    case 'minLength':
      return `${path} must have at least ${counted(limit, 'character', 'characters')}`
    case 'maxLength':
      return `${path} must have at most ${counted(limit, 'character', 'characters')}`
    case 'minimum':
      return `${path} must be at least ${limit}`
    case 'maximum':
      return `${path} must be at most ${limit}`
    case 'minItems':
      return `${path || 'the body'} must have at least ${counted(limit, 'entry', 'entries')}`
    case 'maxItems':
      return `${path || 'the body'} must have at most ${counted(limit, 'entry', 'entries')}`
    case 'enum':
      return `${path} must be ${(params['allowedValues'] as string[]).join(' or ')}`
    case 'nul':
      return `${path || 'the body'} must not contain the character U+0000`
    case 'surrogate':
      return `${path || 'the body'} must not contain an unpaired surrogate, from \\ud800 to \\udfff`
    case 'maxDepth':
      return `${path} must not be nested more than ${limit} levels deep`
    case 'additionalProperties':
      return unknownField(path, memberOf(issue), parentSchema)
    case 'format':
      return `${path} ${params['format'] === 'timestamp' ? timestampFormIssue(String(data)) : EMAIL_RULE}`
    default:
      return `${path || 'the body'} ${patterns[String(params['pattern'])] ?? message}`
  }
}

const EMAIL_RULE = 'must be an e-mail address, such as ada@example.com'

const unknownField = (path: string, name: string | undefined, schema: object | undefined): string => {
  const known = Object.keys((schema as { properties: object }).properties)
  const what =
    name === undefined
      ? `${path || 'the request'} contains an unknown field`
      : `${path === '' ? '' : `${path}.`}${name} is not a known field`
  return known.length === 0
    ? `${what}: this route has no query parameters`
    : `${what}; known fields are ${known.join(', ')}`
}
