import { Ajv } from 'ajv'
import type { Options } from 'ajv'
import type { XStatic } from 'typebox/schema'
import { InvalidFields } from '../problems/table.ts'

const options: Options = {
  allErrors: true,
  useDefaults: true,
  allowUnionTypes: true,
  // What a fault is told by names the fields that there are.
  verbose: true,
  // The schemas are the service's own, and the document made of them is linted; to compile the schema of schemas as well
  // would take a twentieth of the start.
  meta: false,
  validateSchema: false
}

/** Checks what has types of its own: a value must have the one it should have. */
export const bodyAjv = new Ajv(options)

/** Checks what arrives as text, in a URL, and converts it. */
// With strict numbers Ajv converts 1e999 to Infinity and then compares it with no limit.
export const urlAjv = new Ajv({ ...options, coerceTypes: true, strictNumbers: false })

/** Checks a value by a schema, and types it. Throws InvalidFields. */
export const checked = <const Schema extends object>(schema: Schema, value: unknown): XStatic<Schema> => {
  const validate = bodyAjv.compile(schema)
  if (!validate(value)) throw new InvalidFields(sentences(validate.errors as Fault[]))
  return value as XStatic<Schema>
}

interface Bounded {
  maxItems?: number
  additionalProperties?: boolean
  properties?: Readonly<Record<string, Bounded>>
}

const MOST_UNKNOWN = 100

/**
 * The faults of a value that holds far more entries or fields than it may. They are told instead of any others: each entry may have a
 * fault of its own, and to find and tell those of a megabyte would take seconds and a hundred times its memory.
 */
export const excesses = (schema: Bounded, value: unknown, path = ''): Fault[] => {
  const { maxItems = Infinity, additionalProperties, properties = {} } = schema
  if (typeof value !== 'object' || value === null) return []
  if (Array.isArray(value)) return value.length > maxItems ? [{ keyword: 'maxItems', instancePath: path, params: { limit: maxItems } }] : []
  if (additionalProperties === false && Object.keys(value).length > Object.keys(properties).length + MOST_UNKNOWN) {
    return [{ keyword: 'additionalProperties', instancePath: path, params: {}, parentSchema: schema }]
  }
  return Object.entries(properties).flatMap(([name, each]) => excesses(each, (value as Record<string, unknown>)[name], `${path}/${name}`))
}

/** What a fault of validation is told by. Ajv gives it; its types are looser here, so that Fastify's fit as well. */
export interface Fault {
  keyword: string
  instancePath: string
  params: Record<string, unknown>
  parentSchema?: object
}

/** One sentence for each fault, naming the field; it never repeats what was sent. */
export const sentences = (faults: readonly Fault[]): string[] => [...new Set(faults.map(sentence))]

/** Text for people: something to be seen, no control characters, and nothing that is not Unicode text. */
// What may come before the first visible character is not visible itself: where the two could overlap, the search would be quadratic.
export const PRINTABLE = '^[\\p{Z}\\p{Cf}\\p{Co}\\p{Cn}]*[^\\p{C}\\p{Z}][^\\p{Cc}\\p{Cs}]*$'

/** An instant of RFC 3339. */
export const INSTANT = '^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}(\\.\\d{1,9})?(Z|[+-]\\d{2}:\\d{2})$'

/** The schema of a number that stands for a user, an organization or an app. */
export const id = { type: 'integer', minimum: 1, maximum: Number.MAX_SAFE_INTEGER } as const

/** The schema of an instant in a query string. */
export const instant = { type: 'string', pattern: INSTANT } as const

/** Reads an instant whose form has been checked, where there is one. Throws InvalidFields for one that never comes. */
export const toInstant = (name: string, text: string | undefined): Date | undefined => {
  if (text === undefined) return undefined
  const read = new Date(text)
  // A date rolls over from the 31st of February to the 3rd of March, which nobody means; a time zone may lead out of the years
  // that are written with four digits.
  const day = new Date(`${text.slice(0, 10)}T00:00:00Z`)
  if (Number.isNaN(read.getTime()) || read.toISOString().length !== 24 || day.toISOString().slice(0, 10) !== text.slice(0, 10)) throw new InvalidFields([`${name} is no day of the calendar, or no time of the day`])
  return read
}

/** An e-mail address, as far as its form tells. ASCII only: it is sent in a header; other domains have a form in it (RFC 3492). */
export const EMAIL = '^[\\x21\\x23-\\x27*+/0-9=?A-Z^-~.-]{1,64}@[A-Za-z0-9-]+(\\.[A-Za-z0-9-]+)+$'

/** An owner in a query string. */
export const OWNER = '^(User|Organization):[1-9]\\d{0,14}$'

const patterns: Readonly<Record<string, string>> = {
  [PRINTABLE]: 'must be visible, well-formed text without control characters',
  [EMAIL]: 'must be an e-mail address, such as ada@example.com',
  [OWNER]: 'must be User: or Organization: and an id, such as User:3',
  [INSTANT]: 'must be an instant with its time zone, such as 2027-01-31T12:00:00Z'
}

const sentence = ({ keyword, instancePath, params, parentSchema }: Fault): string => {
  const path = instancePath.slice(1).replaceAll('/', '.')
  const limit = String(params['limit'])
  switch (keyword) {
    case 'required': return `${[path, params['missingProperty']].filter(Boolean).join('.')} is required`
    case 'type': return `${path || 'the body'} must be ${[params['type']].flat().join(' or ')}`
    case 'minLength': return `${path} must have ${limit} characters at least`
    case 'maxLength': return `${path} must have ${limit} characters at most`
    case 'minimum': return `${path} must be ${limit} at least`
    case 'maximum': return `${path} must be ${limit} at most`
    case 'minItems': return `${path} must have ${limit} entries at least`
    case 'maxItems': return `${path} must have ${limit} entries at most`
    case 'enum': return `${path} must be ${(params['allowedValues'] as string[]).join(' or ')}`
    case 'additionalProperties': return `${path || 'the request'} has a field that is not known here; known are ${knownFields(parentSchema)}`
    default: return `${path} ${patterns[String(params['pattern'])]}`
  }
}

const knownFields = (schema: object | undefined): string => Object.keys((schema as { properties: object }).properties).join(', ')
