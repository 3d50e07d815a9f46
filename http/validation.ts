import { Ajv } from 'ajv'
import type { Options } from 'ajv'
import type { XStatic } from 'typebox/schema'
import addFormats from 'ajv-formats'
import { InvalidFields } from '../domain/errors.ts'
import { isTooDeep, MAX_DEPTH, textsIn } from '../domain/json/value.ts'
import { instantFormIssue } from './instants.ts'
import { fieldIssues } from './validation-issues.ts'
import type { Issue } from './validation-issues.ts'

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
  formats: { instant: (text: string) => instantFormIssue(text) === null }
}

/** Checks a value, which must have the type that it should have: nothing is converted. */
export const ajv = addFormats.default(new Ajv(options), ['email'])

/** Checks a value by a schema, and types it. Throws InvalidFields. */
export const checked = <const Schema extends object>(schema: Schema, value: unknown): XStatic<Schema> => {
  const tooMuch = excesses(schema, value)
  if (tooMuch.length > 0) throw new InvalidFields({ issues: fieldIssues(tooMuch) })
  const validate = ajv.compile(schema)
  if (!validate(value)) throw new InvalidFields({ issues: fieldIssues(validate.errors as Issue[]) })
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

/** The schema of a number that stands for a user, an organization or an app. */
export const id = { type: 'integer', minimum: 1, maximum: Number.MAX_SAFE_INTEGER } as const
