import { test } from 'tap'
import { createPasswordHasher } from '../../domain/users/passwords.ts'
import type { Call } from '../domain/access/matrix/calls.ts'
import { createService, issuesOf, sendOne } from './operations.ts'
import type { Service } from './operations.ts'

/** Returns the error codes that the OpenAPI document declares for an operation. */
const codesOf = ({ replies }: Service, { request: { operation } }: Service['requests'][number]): string[] =>
  Object.values(operation.responses).flatMap(reply => {
    const shared: Reply | undefined = replies[(reply as { $ref: string }).$ref]
    return Object.keys(shared?.content?.['application/problem+json']?.examples ?? {})
  })

interface Reply {
  content?: Record<string, { examples?: object }>
}

test('malformed bodies are rejected as declared in the OpenAPI document, even if an operation has no body', async t => {
  const service = await createService(t, {})
  const bodies: [headers: Record<string, string>, payload: string][] = [
    [{ 'content-type': 'application/json' }, '{'],
    [{ 'content-type': 'application/json' }, ''],
    [{ 'content-type': 'application/json; charset=latin1' }, '{}'],
    [{ 'content-type': 'application/json', 'content-encoding': 'gzip' }, '{}'],
    [{ 'content-type': 'text/plain' }, 'x'],
    [{ 'content-type': 'application/json' }, `"${'x'.repeat(1024 * 1024)}"`]
  ]
  const issues: string[] = []
  for (const each of service.requests) {
    for (const [headers, payload] of bodies) {
      const received = await sendOne(service, each, { headers, payload })
      issues.push(...issuesOf(service, each.request, received).map(issue => `${each.request.route}: ${issue}`))
    }
    await service.rows.differences(null)
    await service.rows.restore()
  }
  t.same(issues, [])
})

/** The number of waiting passwords at which any further one is refused. */
const MAX_WAITING = 100

const PASSWORD = 'seven lanterns by the mill'

test('TOO_BUSY is declared for exactly the operations that check or set a password', async t => {
  const service = await createService(t, {})
  const hasher = createPasswordHasher()
  const waiting: Promise<unknown>[] = []
  const fill = (): void => {
    while (hasher.waiting() < MAX_WAITING) waiting.push(hasher.hash(PASSWORD))
  }
  // Fills the queue in the same turn of the event loop, so that the queue is still full when the next password arrives.
  Object.assign(service.fixture.made.fastify.passwords, {
    hash: async (password: string) => {
      fill()
      return await hasher.hash(password)
    },
    verify: async (hash: string | null, password: string) => {
      fill()
      return await hasher.verify(hash, password)
    }
  })
  const busy = new Set<string>()
  for (const each of service.requests) {
    const { route, operation, call } = each.request
    const schema = operation.requestBody?.content['application/json']?.schema
    const hasPassword = schema !== undefined && 'properties' in schema && 'password' in schema.properties
    const password = hasPassword ? { password: PASSWORD } : {}
    const body: Call['body'] = sender => ({ ...password, ...call.body?.(sender) })
    const received = await sendOne(service, { ...each, request: { ...each.request, call: { ...call, body } } })
    if (received.text.includes('"TOO_BUSY"')) busy.add(route)
    await service.rows.differences(null)
    await service.rows.restore()
  }
  await Promise.all(waiting)
  const documented = service.requests.filter(each => codesOf(service, each).includes('TOO_BUSY'))
  t.same([...busy].sort(), documented.map(({ request }) => request.route).sort())
  t.ok(busy.size > 0)
})
