import { test } from 'tap'
import { required, raw, world } from '../helper.ts'
import { logLines, start } from './service.ts'

const OURS = /^[\w-]{8}-[0-9a-z]+$/

/** Returns the id in a response's header. A problem document repeats it in the body. */
const idIn = (reply: string): string => required(/^x-request-id: (.*)\r$/im.exec(reply)?.[1], 'x-request-id')

test("every response contains its request's id, and every problem repeats it", async t => {
  const { call } = await world(t)
  const seen = new Set<unknown>()
  for (const [method, url, status, body, type = 'application/json'] of [
    ['GET', '/up', 200],
    ['GET', '/apps?limit=1', 200],
    ['HEAD', '/apps?limit=1', 200],
    ['GET', '/docs', 200],
    ['GET', '/docs/json', 200],
    ['GET', '/docs/static/swagger-ui.css', 200],
    ['GET', '/docs/static/nope.js', 404],
    ['DELETE', '/apps/ba6811fb3e073d', 204],
    ['GET', '/apps/ba6811fb3e073d', 404],
    ['GET', '/nope', 404],
    ['GET', `/apps/${'x'.repeat(200)}`, 404],
    ['PUT', '/apps', 405],
    ['GET', '/apps/%zz', 400],
    ['GET', '/apps?a=%00', 400],
    ['POST', '/apps', 400, '{'],
    ['POST', '/apps', 413, `"${'x'.repeat(1024 * 1024)}"`],
    ['POST', '/apps', 415, 'x', 'text/plain'],
    ['POST', '/apps', 422, '{}'],
    ['GET', '/profile', 403]
  ] as const) {
    const reply = await call(method, url, body, body === undefined ? {} : { 'content-type': type })
    const id = reply.headers['x-request-id']
    t.equal(reply.status, status, `${method} ${url}`)
    t.match(id, OURS, `${method} ${url}`)
    seen.add(id)
    if (status >= 400) t.equal(reply.json.request_id, id, `${method} ${url}`)
  }
  t.equal(seen.size, 19)
})

test('a request id connects a response to its entry in the audit trail', async t => {
  const { call } = await world(t)
  const { headers } = await call('DELETE', '/apps/ba6811fb3e073d', undefined, { 'x-request-id': 'theirs' })
  t.match((await call('GET', '/audits?limit=1')).json, [
    { action: 'app.delete', request_id: String(headers['x-request-id']) }
  ])
})

test('the log contains each request with its id, and the id that the requester sent if it is well-formed', async t => {
  const service = await start(t)
  const base = `http://127.0.0.1:${service.port}`
  const ids: Record<string, string | null> = {}
  const ask = async (theirs: string, path = '/apps'): Promise<void> => {
    const headers = { 'x-request-id': theirs }
    ids[theirs] = (await fetch(base + path, { headers })).headers.get('x-request-id')
  }
  const good = ['0190d2a4-7c1e-7b3a-9f60-2f1c8f1f0a11', 'Root=1-5f/a:b_c+d.e', 'x.'.repeat(64)]
  for (const theirs of [...good, 'a b', 'a, b', 'a"b', `${'x.'.repeat(64)}x`, '{}']) await ask(theirs)
  await ask('bad-url', '/apps/%zz')
  const key = service.key.keyId
  await ask(key)
  const broken = await raw(service.port, `nonsense ${service.key.keyAccessToken}\r\n\r\n`)
  const connect = await raw(service.port, 'CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n')
  service.process.kill('SIGTERM')
  const { stdout } = await service.ended

  const lines = logLines(stdout)
  const linesOf = (id: string | null | undefined) => lines.filter(line => line['reqId'] === id)
  for (const [theirs, id] of Object.entries(ids)) {
    const found = linesOf(id)
    const [refused, completed] = theirs === 'bad-url' ? [undefined, ...found] : found
    if (theirs !== 'bad-url') t.match(refused, { msg: 'client key refused' }, theirs)
    t.match(completed, { msg: 'request completed' }, theirs)
    const isWellFormed = good.includes(theirs) || theirs === 'bad-url'
    const logged = theirs === key ? '[redacted]' : isWellFormed ? theirs : undefined
    for (const line of found) t.equal(line['requester_request_id'], logged, theirs)
  }
  for (const [reply, cause] of [
    [broken, 'HPE_INVALID_METHOD'],
    [connect, 'CONNECT']
  ] as const) {
    t.match(JSON.parse(reply.slice(reply.indexOf('{'))), { request_id: idIn(reply) })
    t.match(linesOf(idIn(reply)), [
      {
        level: 30,
        status: 400,
        code: 'BAD_REQUEST',
        cause,
        address: '127.0.0.1',
        msg: /^refused a request that could not be parsed$/
      }
    ])
  }
  t.notMatch(stdout, key)
  t.notMatch(stdout, service.key.keyAccessToken)
})

test('the document describes the header once, and every response to every operation has it', async t => {
  const { call } = await world(t)
  interface Reply {
    $ref?: string
    headers?: Record<string, unknown>
  }
  const { paths, components } = (await call('GET', '/docs/json')).json as {
    paths: Record<string, Record<string, { responses: Record<string, Reply> }>>
    components: { headers: Record<string, unknown>; responses: Record<string, Reply> }
  }
  t.match(components.headers, { 'X-Request-Id': { description: String, schema: { type: 'string' } } })
  const replies = [
    ...Object.values(components.responses),
    ...Object.values(paths).flatMap(methods =>
      Object.values(methods).flatMap(({ responses }) =>
        Object.values(responses).filter(({ $ref }) => $ref === undefined)
      )
    )
  ]
  t.ok(replies.length > 100)
  for (const { headers } of replies) {
    t.match(headers, { 'X-Request-Id': { $ref: '#/components/headers/X-Request-Id' } })
  }
})
