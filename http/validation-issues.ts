import type { FieldIssue } from '../domain/field-issue.ts'
import { PRINTABLE } from '../domain/json/printable.ts'
import { redact } from '../net/redaction.ts'
import { instantFormIssue } from './instants.ts'

/** An issue that validation found. Ajv gives it; its types are looser here, so that Fastify's fit as well. */
export interface Issue {
  keyword: string
  instancePath: string
  params: Record<string, unknown>
  parentSchema?: object
  data?: unknown
  message?: string
}

/** An owner in a query string. */
export const OWNER = '^(User|Organization):[1-9]\\d{0,14}$'

/** The name of a secret: which one sealed a token. */
export const GENERATION = '^[0-9a-f]{8}$'

/** What is wrong with which field of a body or a query string. It never holds a value that was sent. */
export const fieldIssues = (issues: readonly Issue[]): FieldIssue[] =>
  issues.map(issue => {
    const path = issue.instancePath.split('/').slice(1).map(unescaped)
    const member = memberOf(issue)
    return { path: member === undefined ? path : [...path, member], detail: sentence(issue, path.join('.')) }
  })

/** A name in a JSON pointer as it was before it was escaped (RFC 6901). */
const unescaped = (name: string): string => name.replaceAll('~1', '/').replaceAll('~0', '~')

/** The field that an issue of an object is about, if it can be named. */
const memberOf = ({ keyword, params }: Issue): string | undefined => {
  if (keyword === 'required') return String(params['missingProperty'])
  return keyword === 'additionalProperties' ? nameOf(params['additionalProperty']) : undefined
}

/** A name that a client sent, if it can be nothing but a name. */
const nameOf = (name: unknown): string | undefined =>
  typeof name === 'string' && /^[A-Za-z_][\w-]{0,39}$/.test(name) && redact(name) === name ? name : undefined

const patterns: Readonly<Record<string, string>> = {
  [PRINTABLE]: 'must be visible, well-formed text without control characters',
  [GENERATION]: 'must be 8 hexadecimal digits, as npm run key:secrets prints them',
  [OWNER]: 'must be User: or Organization: and an id, such as User:3'
}

const sentence = (issue: Issue, path: string): string => {
  const { keyword, params, parentSchema, data, message = 'is not valid' } = issue
  const limit = String(params['limit'])
  switch (keyword) {
    case 'required':
      return `${[path, memberOf(issue)].filter(Boolean).join('.')} is required`
    case 'type':
      return `${path || 'the body'} must be ${[params['type']].flat().join(' or ')}`
    case 'digits':
      return `${path} must be integer, in decimal digits such as 20`
    case 'once':
      return `${path} must be sent once`
    case 'minLength':
      return `${path} must have ${limit} characters at least`
    case 'maxLength':
      return `${path} must have ${limit} characters at most`
    case 'minimum':
      return `${path} must be ${limit} at least`
    case 'maximum':
      return `${path} must be ${limit} at most`
    case 'minItems':
      return `${path} must have ${limit} entries at least`
    case 'maxItems':
      return `${path} must have ${limit} entries at most`
    case 'enum':
      return `${path} must be ${(params['allowedValues'] as string[]).join(' or ')}`
    case 'nul':
      return `${path || 'the body'} must not hold the character U+0000`
    case 'surrogate':
      return `${path || 'the body'} must not hold half of a surrogate pair, from \\ud800 to \\udfff`
    case 'maxDepth':
      return `${path} must not be nested more than ${limit} deep`
    case 'additionalProperties':
      return unknownField(path, memberOf(issue), parentSchema)
    case 'format':
      return `${path} ${params['format'] === 'instant' ? instantFormIssue(String(data)) : EMAIL_RULE}`
    default:
      return `${path || 'the body'} ${patterns[String(params['pattern'])] ?? message}`
  }
}

const EMAIL_RULE = 'must be an e-mail address, such as ada@example.com'

const unknownField = (path: string, name: string | undefined, schema: object | undefined): string => {
  const known = Object.keys((schema as { properties: object }).properties)
  const what =
    name === undefined
      ? `${path || 'the request'} has a field that is not known here`
      : `${path === '' ? '' : `${path}.`}${name} is not known here`
  return known.length === 0 ? `${what}: this takes no query parameters` : `${what}; known are ${known.join(', ')}`
}
