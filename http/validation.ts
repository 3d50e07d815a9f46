import { Ajv } from 'ajv'
import type { Options } from 'ajv'
import type { XStatic } from 'typebox/schema'
import addFormats from 'ajv-formats'
import { redact } from '../net/redaction.ts'
import { InvalidFields } from '../domain/errors.ts'
import { hasInstantForm, INSTANT_RULE } from './instants.ts'
import { PRINTABLE } from '../domain/json/printable.ts'
import { isTooDeep, MAX_DEPTH, textsIn } from '../domain/json/value.ts'

const options: Options = {
  allErrors: true,
  useDefaults: true,
  allowUnionTypes: true,
  // The sentence about an issue names the fields that there are.
  verbose: true,
  // The schemas are the service's own, and the document made of them is linted; to compile the schema of schemas as
  // well would take a twentieth of the start.
  meta: false,
  validateSchema: false,
  // It takes a third of the time to compile a schema, and V8 optimizes the code as well.
  code: { optimize: false },
  formats: { instant: hasInstantForm }
}

/** Checks what has types of its own: a value must have the one it should have. */
export const bodyAjv = new Ajv(options)

/** Checks what arrives as text, in a URL, and converts it. */
// With strict numbers Ajv converts 1e999 to Infinity and then compares it with no limit.
export const urlAjv = new Ajv({ ...options, coerceTypes: true, strictNumbers: false })

for (const ajv of [bodyAjv, urlAjv]) addFormats.default(ajv, ['email'])

/** Checks a value by a schema, and types it. Throws InvalidFields. */
export const checked = <const Schema extends object>(schema: Schema, value: unknown): XStatic<Schema> => {
  const tooMuch = excesses(schema, value)
  if (tooMuch.length > 0) throw new InvalidFields({ errors: sentences(tooMuch) })
  const validate = bodyAjv.compile(schema)
  if (!validate(value)) throw new InvalidFields({ errors: sentences(validate.errors as Issue[]) })
  return value as XStatic<Schema>
}

interface Bounded {
  type?: unknown
  maxItems?: number
  maxLength?: number
  additionalProperties?: boolean
  items?: Bounded
  properties?: Readonly<Record<string, Bounded>>
}

const MAX_UNKNOWN = 100
const NUL = '\0'

/**
 * The issues of a value that is nested deeper, or holds longer texts or far more entries or fields, than it may, or the
 * character U+0000, which not every database stores, or half of a surrogate pair, which UTF-8 can't encode. Ajv is not
 * asked then: it would search a text of a megabyte by a pattern, and report an issue of each of a million entries.
 */
export const excesses = (schema: Bounded, value: unknown, path = ''): Issue[] => {
  const { maxItems = Infinity, maxLength = Infinity, additionalProperties, items, properties } = schema
  if (typeof value === 'string') {
    const unstorable = unstorableIn([value])
    if (unstorable !== null) return [{ keyword: unstorable, instancePath: path, params: {} }]
    // Ajv counts characters; one of them takes two code units at most.
    return value.length > 2 * maxLength
      ? [{ keyword: 'maxLength', instancePath: path, params: { limit: maxLength } }]
      : []
  }
  if (typeof value !== 'object' || value === null) return []
  if (Array.isArray(value)) {
    if (value.length > maxItems) return [{ keyword: 'maxItems', instancePath: path, params: { limit: maxItems } }]
    return items === undefined ? [] : value.flatMap((entry, index) => excesses(items, entry, `${path}/${index}`))
  }
  // An object of any members.
  if (properties === undefined) {
    if (isTooDeep(value)) return [{ keyword: 'maxDepth', instancePath: path, params: { limit: MAX_DEPTH } }]
    const unstorable = unstorableIn(textsIn(value))
    return unstorable === null ? [] : [{ keyword: unstorable, instancePath: path, params: {} }]
  }
  if (additionalProperties === false && Object.keys(value).length > Object.keys(properties).length + MAX_UNKNOWN) {
    return [{ keyword: 'additionalProperties', instancePath: path, params: {}, parentSchema: schema }]
  }
  return Object.entries(properties).flatMap(([name, each]) =>
    excesses(each, (value as Record<string, unknown>)[name], `${path}/${name}`)
  )
}

/** What in texts could not be stored as it is. */
const unstorableIn = (texts: readonly string[]): 'nul' | 'surrogate' | null => {
  if (texts.some(text => text.includes(NUL))) return 'nul'
  return texts.every(text => text.isWellFormed()) ? null : 'surrogate'
}

/** An issue that validation found. Ajv gives it; its types are looser here, so that Fastify's fit as well. */
export interface Issue {
  keyword: string
  instancePath: string
  params: Record<string, unknown>
  parentSchema?: object
  message?: string
}

/** One sentence for each issue, naming the field; it never repeats what was sent. */
export const sentences = (issues: readonly Issue[]): string[] => [...new Set(issues.map(sentence))]

/** The schema of a number that stands for a user, an organization or an app. */
export const id = { type: 'integer', minimum: 1, maximum: Number.MAX_SAFE_INTEGER } as const

/** An owner in a query string. */
export const OWNER = '^(User|Organization):[1-9]\\d{0,14}$'

/** The name of a secret: which one sealed a token. */
export const GENERATION = '^[0-9a-f]{8}$'

const patterns: Readonly<Record<string, string>> = {
  [PRINTABLE]: 'must be visible, well-formed text without control characters',
  [GENERATION]: 'must be 8 hexadecimal digits, as npm run key:secrets prints them',
  [OWNER]: 'must be User: or Organization: and an id, such as User:3'
}

const formats: Readonly<Record<string, string>> = {
  email: 'must be an e-mail address, such as ada@example.com',
  instant: INSTANT_RULE
}

const sentence = ({ keyword, instancePath, params, parentSchema, message = 'is not valid' }: Issue): string => {
  const path = instancePath.slice(1).replaceAll('/', '.')
  const limit = String(params['limit'])
  switch (keyword) {
    case 'required':
      return `${[path, params['missingProperty']].filter(Boolean).join('.')} is required`
    case 'type':
      return `${path || 'the body'} must be ${[params['type']].flat().join(' or ')}`
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
      return unknownField(path, params['additionalProperty'], parentSchema)
    default: {
      const rule = keyword === 'format' ? formats[String(params['format'])] : patterns[String(params['pattern'])]
      return `${path || 'the body'} ${rule ?? message}`
    }
  }
}

// A name is repeated where it can be nothing but a name.
const unknownField = (path: string, name: unknown, schema: object | undefined): string => {
  const isName = typeof name === 'string' && /^[A-Za-z_][\w-]{0,39}$/.test(name) && redact(name) === name
  const what = isName
    ? `${path === '' ? '' : `${path}.`}${name} is not known here`
    : `${path || 'the request'} has a field that is not known here`
  return `${what}; known are ${knownFields(schema)}`
}

const knownFields = (schema: object | undefined): string =>
  Object.keys((schema as { properties: object }).properties).join(', ')
