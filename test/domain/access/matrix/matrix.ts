import type { Test } from 'tap'
import { at, required } from '../../../helper.ts'
import { CALLS, parameterOf } from './calls.ts'
import type { Call } from './calls.ts'
import { compareRows } from './rows.ts'
import type { RowComparison } from './rows.ts'
import { ADA, ADAS_APP, createFixture, HASH_PREFIX, MARKERS, NORTHWINDS_APP, PUBLIC_APP } from './senders.ts'
import type { Fixture, Sender } from './senders.ts'

export interface Operation {
  security: Record<string, string[]>[]
  responses: Record<string, object>
  requestBody?: { content: Record<string, { schema: ObjectSchema | { items: ObjectSchema } }> }
}

/** The schema of an object, in a document without nested objects. */
export interface ObjectSchema {
  required?: string[]
  properties: Record<string, { examples?: unknown[] }>
}

export type Operations = Readonly<Record<string, Operation>>

/** Returns all operations of the OpenAPI document, by method and path. */
export const operationsOf = async ({ made }: Fixture): Promise<Operations> => {
  const { paths } = (await made.call('GET', '/docs/json')).json as { paths: Record<string, Record<string, Operation>> }
  return Object.fromEntries(
    Object.entries(paths).flatMap(([path, item]) =>
      Object.entries(item).map(([method, operation]) => [`${method.toUpperCase()} ${path}`, operation])
    )
  )
}

/** Returns the required fields, with an example of each. */
const fieldsOf = ({ required: names = [], properties }: ObjectSchema): Record<string, unknown> => {
  // Passwords have no examples, because the page of the documentation sends its examples unchanged.
  const valueOf = (field: string): unknown => properties[field]?.examples?.[0] ?? 'another green kettle'
  return Object.fromEntries(names.map(field => [field, valueOf(field)]))
}

interface Body {
  readonly headers: Readonly<Record<string, string>>
  readonly payload?: object | string
}

/** Returns an object with texts as a form. */
export const toForm = (fields: object): string =>
  new URLSearchParams(Object.entries(fields).map(([name, value]): [string, string] => [name, String(value)])).toString()

/** Returns the smallest body of an operation, which is a form or JSON, with additional fields. */
const bodyOf = ({ requestBody }: Operation, more: object | undefined): Body => {
  if (requestBody === undefined) return { headers: {} }
  const [type, { schema }] = at(Object.entries(requestBody.content))
  const fields = 'items' in schema ? [fieldsOf(schema.items)] : { ...fieldsOf(schema), ...more }
  const isForm = type !== 'application/json'
  return {
    headers: { 'content-type': type },
    payload: isForm ? toForm(fields) : fields
  }
}

/** A request of the table, with its operation and its label. */
export interface Request {
  readonly route: string
  readonly operation: Operation
  readonly call: Call
  readonly label: string
}

/**
 * Returns the status code with which an operation refuses all of a sender's requests according to the OpenAPI document,
 * or null if it doesn't refuse them.
 */
const documentedRefusal = (sender: Sender, { security }: Operation): 401 | 403 | null => {
  if (security.length === 0 || sender.kind === 'user') return null
  // An alternative without schemes means that no credential is required.
  const isOptional = security.some(schemes => Object.keys(schemes).length === 0)
  if (sender.kind === 'unknown') return isOptional ? null : 401
  const scope = security.find(({ clientKey }) => clientKey !== undefined)?.['clientKey']?.[0]
  return scope === undefined || sender.scopes.includes(scope) || sender.scopes.includes('*') ? null : 403
}

/** Returns a sender's requests. Only one request is sent for each operation that refuses the sender. */
export const requestsOf = (operations: Operations, sender: Sender): Request[] =>
  Object.entries(operations)
    .filter(([route]) => sender.onlyApps !== true || route.includes(' /apps'))
    .flatMap(([route, operation]) =>
      (CALLS[route] ?? [])
        .slice(0, documentedRefusal(sender, operation) === null ? undefined : 1)
        .map(call => ({ route, operation, call, label: call.name === undefined ? route : `${route}, ${call.name}` }))
    )

export interface Received {
  readonly status: number
  readonly type: string
  readonly text: string
}

export const send = async (
  { made, targets }: Fixture,
  sender: Sender,
  { route, operation, call }: Request,
  remoteAddress: string,
  other?: { readonly headers: Readonly<Record<string, string>>; readonly payload: string }
): Promise<Received> => {
  const [method = '', path = ''] = route.split(' ')
  const own = call.path?.(sender, targets) ?? {}
  const url = path.replaceAll(/\{(\w+)\}/g, (_, name: string) =>
    String(own[name] ?? parameterOf(route, name, sender, targets))
  )
  const query = call.query?.(sender)
  const body = bodyOf(operation, call.body?.(sender))
  const { statusCode, payload, headers } = await made.fastify.inject({
    method: method as 'GET',
    url: query === undefined ? url : `${url}?${query}`,
    headers: { ...body.headers, ...sender.headers, ...other?.headers },
    remoteAddress,
    ...(body.payload === undefined ? {} : { payload: body.payload }),
    ...(other === undefined ? {} : { payload: other.payload })
  })
  return { status: statusCode, type: String(headers['content-type']), text: payload }
}

export const expectedStatus = (sender: Sender, { unknown = 401, key, user }: Call): number => {
  if (sender.kind === 'unknown') return unknown
  return sender.kind === 'key' ? key(sender) : user(sender)
}

/** Returns the markers of the apps that a sender may not read. */
const hiddenMarkers = (sender: Sender): string[] => {
  const mayRead = (name: string): boolean => {
    if (sender.kind === 'unknown') return false
    if (sender.kind === 'key') return sender.scopes.some(scope => scope === '*' || scope.startsWith('apps:'))
    const { app, may, role, userId } = sender
    if (name === PUBLIC_APP || (name === app && may.includes('read'))) return true
    if (name === ADAS_APP) return userId === ADA
    return name === NORTHWINDS_APP && (role === 'admin' || role === 'member')
  }
  return Object.entries(MARKERS).flatMap(([name, marker]) => (mayRead(name) ? [] : [marker]))
}

/** Returns whether the audit trail has a new entry since the last call, and the newest entry's actor. */
type WatchAudits = () => Promise<{ isNew: boolean; actor: string }>

const watchAudits = async ({ db }: Fixture): Promise<WatchAudits> => {
  const read = async () =>
    required(
      (await db.execute('select sequence, actor_kind, actor_id from audits order by sequence desc limit 1'))[0],
      'an entry'
    )
  let last = Number((await read())['sequence'])
  return async () => {
    const { sequence, actor_kind: kind, actor_id: id } = await read()
    const isNew = Number(sequence) > last
    last = Number(sequence)
    return { isNew, actor: `${String(kind)} ${String(id)}` }
  }
}

interface Watch {
  readonly rows: RowComparison
  readonly audits: WatchAudits
}

/** Returns what is wrong with a response apart from its status code, and the changes that the request caused. */
const findingsOf = async (
  { rows, audits }: Watch,
  sender: Sender,
  { route, operation, call }: Request,
  { status, text }: { status: number; text: string }
): Promise<{ issues: string[]; changes: string[] }> => {
  const issues: string[] = []
  if (![null, status].includes(documentedRefusal(sender, operation))) issues.push('does not refuse as documented')
  if ([...hiddenMarkers(sender), HASH_PREFIX].some(marker => text.includes(marker))) issues.push('shows hidden data')
  if (route.startsWith('GET ') || status >= 300) return { issues, changes: [] }
  const changes = await rows.differences(sender.kind === 'user' ? sender.userId : null)
  for (const change of changes) if (call.changes?.includes(change) !== true) issues.push(`changes ${change}`)
  if (changes.length > 0) {
    const { isNew, actor } = await audits()
    if (!isNew) issues.push('is not audited')
    // The actor of a sign-in or sign-up is the user, regardless of the credential.
    else if (operation.security.length > 0 && actor !== actorOf(sender)) issues.push(`is audited for ${actor}`)
  }
  await rows.restore()
  return { issues, changes }
}

const actorOf = (sender: Sender): string | null =>
  sender.kind === 'unknown' ? null : `${sender.kind === 'key' ? 'client_key' : 'user'} ${sender.id}`

export const matrix = async (t: Test, url?: string): Promise<void> => {
  const fixture = await createFixture(t, url === undefined ? {} : { DATABASE_URL: url })
  const operations = await operationsOf(fixture)
  t.same(
    Object.keys(CALLS).sort(),
    Object.keys(operations).sort(),
    'the table contains exactly the operations of the document'
  )
  const rows = await compareRows(fixture.db)
  const watch = { rows, audits: await watchAudits(fixture) }
  const made = new Set<string>()
  for (const [index, sender] of fixture.senders.entries()) {
    const statuses: Record<string, number> = {}
    const expected: Record<string, number> = {}
    const found: string[] = []
    for (const request of requestsOf(operations, sender)) {
      // Each sender has a different address, because login attempts are limited per address.
      const reply = await send(fixture, sender, request, `10.0.${index}.1`)
      statuses[request.label] = reply.status
      expected[request.label] = expectedStatus(sender, request.call)
      const { issues, changes } = await findingsOf(watch, sender, request, reply)
      found.push(...issues.map(issue => `${request.label} ${issue}`))
      for (const change of changes) made.add(`${request.route} ${change}`)
    }
    t.same(statuses, expected, `${sender.who}: statuses`)
    t.same(found, [], `${sender.who}: responses, changes and audit entries are correct`)
    t.same(await rows.differences(null), [], `${sender.who}: a request that reads or is refused changes nothing`)
  }
  const named = Object.entries(CALLS).flatMap(([route, calls]) =>
    calls.flatMap(({ changes = [] }) => changes.map(change => `${route} ${change}`))
  )
  t.same([...made].sort(), [...new Set(named)].sort(), 'every change in the table was made by a sender')
}
