import { required } from '../helper.ts'
import type { World } from '../helper.ts'
import { toForm } from '../domain/access/matrix/matrix.ts'
import type { Db } from '../domain/access/matrix/rows.ts'

interface Schema {
  type?: string | string[]
  enum?: unknown[]
  default?: unknown
  examples?: unknown[]
  properties?: Record<string, Schema>
  items?: Schema
}

interface Media {
  schema: Schema
  example?: unknown
  examples?: Record<string, { value: unknown }>
}

type Plain = string | number | boolean

interface Operation {
  parameters?: { name: string; in: string; example?: Plain; schema: Schema & { default?: Plain } }[]
  requestBody?: { content: Record<string, Media> }
}

/** A request with the initial values of an operation's form. */
export interface FilledIn {
  readonly operation: string
  readonly method: string
  readonly path: string
  readonly query: string
  readonly body: unknown
  /** The body as it is sent, and its media type. */
  readonly sent: readonly [payload: string | undefined, headers: Readonly<Record<string, string>>]
  /** Whether no field of the body is required. */
  readonly isBodyEmpty: boolean
}

/**
 * Returns the value that Swagger UI generates for a schema: its first example, its default, or else a value of its
 * type.
 */
const sampleOf = ({ type, enum: values, default: byDefault, examples, properties, items }: Schema): unknown => {
  if (examples !== undefined) return examples[0]
  if (byDefault !== undefined) return byDefault
  if (values !== undefined) return values[0]
  switch ([type].flat()[0]) {
    case 'object':
      return Object.fromEntries(Object.entries(properties ?? {}).map(([name, each]) => [name, sampleOf(each)]))
    case 'array':
      return [sampleOf(required(items, 'items'))]
    case 'integer':
    case 'number':
      return 0
    case 'boolean':
      return true
    default:
      return 'string'
  }
}

const bodyOf = ({ schema, example, examples }: Media): unknown =>
  example ?? (examples === undefined ? sampleOf(schema) : required(Object.values(examples)[0], 'an example').value)

const encoded = (type: string, body: unknown): string =>
  type === 'application/json' ? JSON.stringify(body) : toForm(body as object)

/** Returns the requests of all operations of the OpenAPI document, with its examples. */
export const filledIn = async ({ call }: World): Promise<FilledIn[]> => {
  const { paths } = (await call('GET', '/docs/json')).json as { paths: Record<string, Record<string, Operation>> }
  return Object.entries(paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, { parameters = [], requestBody }]): FilledIn => {
      const values = new Map(parameters.map(each => [each.name, each.example ?? each.schema.default]))
      const query = new URLSearchParams()
      for (const { name, in: place } of parameters) {
        const value = values.get(name)
        if (place === 'query' && value !== undefined) query.set(name, String(value))
      }
      const [type = '', media] = Object.entries(requestBody?.content ?? {})[0] ?? []
      const body = media === undefined ? undefined : bodyOf(media)
      return {
        operation: `${method.toUpperCase()} ${path}`,
        method: method.toUpperCase(),
        path: path.replaceAll(/\{(\w+)\}/g, (_, name: string) => String(required(values.get(name), `${path} ${name}`))),
        query: query.toString(),
        body,
        sent: body === undefined ? [undefined, {}] : [encoded(type, body), { 'content-type': type }],
        isBodyEmpty: JSON.stringify(body) === '{}'
      }
    })
  )
}

/** Tables that every request changes: counters, and the usage of credentials. */
const COUNTED =
  /^(sqlite_|__drizzle|client_key_usage|environment_key_uses|client_key_epoch|client_key_changes|audit_head)/

type Rows = ReadonlyMap<string, readonly string[]>

/** Returns every row of every table, as JSON. */
export const dump = async ({ execute }: Db): Promise<Rows> => {
  const tables = (await execute("select name from sqlite_master where type = 'table'")).map(({ name }) => String(name))
  const rows = new Map<string, readonly string[]>()
  for (const table of tables.filter(name => !COUNTED.test(name))) {
    rows.set(table, (await execute(`select * from ${table}`)).map(row => JSON.stringify(row)).sort())
  }
  return rows
}

/** Returns the differences between two dumps: `apps +` is a new row, and `apps -` is a deleted or changed row. */
export const differences = (before: Rows, after: Rows): string[] =>
  [...after].flatMap(([table, rows]) => {
    const was = before.get(table) ?? []
    return [
      ...was.filter(row => !rows.includes(row)).map(() => `${table} -`),
      ...rows.filter(row => !was.includes(row)).map(() => `${table} +`)
    ]
  })
