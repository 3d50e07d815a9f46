import { Ajv } from 'ajv'
import type { Options } from 'ajv'
import type { XStatic } from 'typebox/schema'
import addFormats from 'ajv-formats'
import { InvalidFields } from '../domain/errors.ts'
import { isTooDeep, MAX_DEPTH, textsIn } from '../domain/json/value.ts'
import { timestampFormIssue } from './timestamps.ts'
import { fieldIssues } from './validation-issues.ts'
import type { Issue } from './validation-issues.ts'

const options: Options = {
  allErrors: true,
  useDefaults: true,
  allowUnionTypes: true,
  // Includes the schema in issues, so that the message about an unknown field can list the known ones.
  verbose: true,
  // The schemas aren't validated at startup, because compiling the meta-schema would take 5 % of the startup time.
  // Instead, the OpenAPI document, which contains them, is linted.
  meta: false,
  validateSchema: false,
  // Optimization would take a third of the time needed to compile a schema, and V8 optimizes the code anyway.
  code: { optimize: false },
  formats: { timestamp: (text: string) => timestampFormIssue(text) === null }
}

/** Validates values without converting their types. */
export const ajv = addFormats.default(new Ajv(options), ['email'])

/** Validates a value against a schema, and returns it with the schema's type. Throws InvalidFields if it's invalid. */
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
 * Returns issues if a value is nested too deeply, has strings or arrays that are too long, or has far too many fields.
 * Without this check, Ajv would match patterns against megabytes of text, or report an issue for each of a million
 * entries. Also reports U+0000, which not every database can store, and unpaired surrogates, which UTF-8 can't encode.
 */
export const excesses = (schema: Bounded, value: unknown, path = ''): Issue[] => {
  const { maxItems = Infinity, maxLength = Infinity, additionalProperties, items, properties } = schema
  if (typeof value === 'string') {
    const unstorable = unstorableIn([value])
    if (unstorable !== null) return [{ keyword: unstorable, instancePath: path, params: {} }]
    // Ajv counts code points, each of which consists of at most two code units.
    return value.length > 2 * maxLength
      ? [{ keyword: 'maxLength', instancePath: path, params: { limit: maxLength } }]
      : []
  }
  if (typeof value !== 'object' || value === null) return []
  if (Array.isArray(value)) {
    if (value.length > maxItems) return [{ keyword: 'maxItems', instancePath: path, params: { limit: maxItems } }]
    return items === undefined ? [] : value.flatMap((entry, index) => excesses(items, entry, `${path}/${index}`))
  }
  // The schema allows any fields.
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

/** Returns why the strings can't be stored unchanged, or null if they can. */
const unstorableIn = (texts: readonly string[]): 'nul' | 'surrogate' | null => {
  if (texts.some(text => text.includes(NUL))) return 'nul'
  return texts.every(text => text.isWellFormed()) ? null : 'surrogate'
}

/** The schema of the id of a user, an organization or an app. */
export const id = { type: 'integer', minimum: 1, maximum: Number.MAX_SAFE_INTEGER } as const
