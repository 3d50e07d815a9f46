import { rmSync } from 'node:fs'
import { connect } from 'node:net'
import { once } from 'node:events'
import { test } from 'tap'
import { at, listening, raw, world } from '../helper.ts'

const PROBLEM = 'application/problem+json'

test('unknown routes and methods cause problem documents', async t => {
  const { call } = await world(t)
  for (const url of [
    '/',
    '/nope',
    '/apps//',
    '/apps//tags',
    '/apps/x/y/z',
    '/App',
    '/docs/nope/nope',
    '/docs/static/nope.js',
    '//',
    '/apps%2f'
  ]) {
    const { status, headers, json } = await call('GET', url)
    t.equal(status, 404, url)
    t.match(headers['content-type'], PROBLEM)
    t.match(json, { code: 'ROUTE_NOT_FOUND' })
    t.strictSame(Object.keys(json), ['type', 'title', 'status', 'detail', 'code', 'request_id', 'errors'])
  }
  for (const [method, url, allow] of [
    ['DELETE', '/apps', 'GET, HEAD, POST'],
    ['POST', '/apps/ba6811fb3e073d', 'DELETE, GET, HEAD, PATCH, PUT'],
    ['POST', '/up?x=1', 'GET, HEAD'],
    ['OPTIONS', '/apps/name_suggestion', 'DELETE, GET, HEAD, PATCH, PUT'],
    ['TRACE', '/apps', 'GET, HEAD, POST']
  ] as const) {
    const { status, headers, json } = await call(method, url)
    t.equal(status, 405, `${method} ${url}`)
    t.equal(String(headers['allow']).split(', ').sort().join(', '), allow)
    t.match(json, { code: 'METHOD_NOT_ALLOWED' })
  }
})

test('a malformed request causes a problem document', async t => {
  const { fastify, key } = await world(t)
  const port = await listening(fastify)
  const head = `Host: localhost\r\nAuthorization: Bearer ${key.keyAccessToken}\r\nConnection: close\r\n`
  for (const [request, status, code] of [
    [`GET /apps/%zz HTTP/1.1\r\n${head}\r\n`, 400, 'BAD_URL'],
    [`GET /%c0 HTTP/1.1\r\n${head}\r\n`, 400, 'BAD_URL'],
    [`GET /apps/%00 HTTP/1.1\r\n${head}\r\n`, 400, 'BAD_URL'],
    [`GET /client_keys?name=a%00b HTTP/1.1\r\n${head}\r\n`, 400, 'BAD_URL'],
    ['nonsense\r\n\r\n', 400, 'BAD_REQUEST'],
    [`BREW /apps HTTP/1.1\r\n${head}\r\n`, 400, 'BAD_REQUEST'],
    [`GET /apps HTTP/1.1\r\n${head}X: ${'x'.repeat(17_000)}\r\n\r\n`, 431, 'HEADERS_TOO_LARGE'],
    [`POST /apps HTTP/1.1\r\n${head}Content-Length: x\r\n\r\n`, 400, 'BAD_REQUEST'],
    [
      `POST /apps HTTP/1.1\r\n${head}Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n`,
      400,
      'BAD_REQUEST'
    ],
    [`PROPFIND /apps HTTP/1.1\r\n${head}\r\n`, 405, 'METHOD_NOT_ALLOWED']
  ] as const) {
    const reply = await raw(port, request)
    t.match(reply, new RegExp(`^HTTP/1\\.1 ${status} `), request.slice(0, 40))
    t.match(reply.toLowerCase(), `content-type: ${PROBLEM}`)
    const body = at(reply.split('\r\n\r\n'), 1)
    t.match(JSON.parse(body.slice(body.indexOf('{'), body.lastIndexOf('}') + 1)), { code, status })
  }
})

test('a client that disconnects before its request is complete does no harm', async t => {
  const { fastify, call } = await world(t)
  const port = await listening(fastify)
  for (const part of [
    'GET /ap',
    'POST /apps HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\nContent-Type: application/json\r\n\r\n{'
  ]) {
    const socket = connect(port, '127.0.0.1')
    await once(socket, 'connect')
    socket.write(part)
    await fetch(`http://127.0.0.1:${port}/up`)
    socket.resetAndDestroy()
    await once(socket, 'close')
  }
  t.equal((await call('GET', '/up')).status, 200)
})

test('invalid JSON, bodies that are too large and unsupported types are distinguished', async t => {
  const { call } = await world(t)
  const url = '/apps'
  const json = { 'content-type': 'application/json' }
  for (const [body, headers, status, code] of [
    ['', json, 400, 'MALFORMED_JSON'],
    ['{', json, 400, 'MALFORMED_JSON'],
    ['{"a":tck_x}', json, 400, 'MALFORMED_JSON'],
    ['{"__proto__":{"a":1}}', json, 400, 'MALFORMED_JSON'],
    ['{"constructor":{"prototype":{}}}', json, 400, 'MALFORMED_JSON'],
    ['null', json, 422, 'INVALID_FIELDS'],
    ['"x"', json, 422, 'INVALID_FIELDS'],
    ['[', json, 400, 'MALFORMED_JSON'],
    ['['.repeat(100_000), json, 400, 'MALFORMED_JSON'],
    [`"${'x'.repeat(1024 * 1024)}"`, json, 413, 'BODY_TOO_LARGE'],
    ['a=b', { 'content-type': 'application/x-www-form-urlencoded' }, 415, 'UNSUPPORTED_MEDIA_TYPE'],
    ['hello', { 'content-type': 'text/plain' }, 415, 'UNSUPPORTED_MEDIA_TYPE'],
    ['{}', { 'content-type': 'application/merge-patch+json' }, 415, 'UNSUPPORTED_MEDIA_TYPE'],
    ['{}', { 'content-type': 'nonsense' }, 415, 'UNSUPPORTED_MEDIA_TYPE'],
    ['{}', { 'content-type': '' }, 415, 'UNSUPPORTED_MEDIA_TYPE'],
    ['{}', { ...json, 'content-length': '7' }, 400, 'BAD_REQUEST']
  ] as [string, Record<string, string>, number, string][]) {
    const reply = await call('POST', url, body, headers)
    t.equal(reply.status, status, `${body.slice(0, 30)} ${JSON.stringify(headers)}`)
    t.match(reply.json, { code })
    t.notMatch(reply.text, 'tck_x', 'the body is not echoed')
  }
  t.equal((await call('DELETE', '/apps/ba6811fb3e073d', '{', json)).status, 400)
  t.equal(
    (await call('DELETE', '/apps/ba6811fb3e073d', '', json)).status,
    204,
    'many clients send the type without a body'
  )
  t.equal((await call('DELETE', '/apps/3f1c09d2a7be54')).status, 204)
  for (const [method, path, code] of [
    ['POST', '/nope', 'ROUTE_NOT_FOUND'],
    ['POST', '/up', 'METHOD_NOT_ALLOWED']
  ] as const) {
    t.match((await call(method, path, '{', json)).json, { code }, 'the response is sent before the body is read')
  }
})

test('no response repeats a credential from any part of a request', async t => {
  const { call, key } = await world(t)
  const { keyAccessToken: token, keyId } = key
  const replies = [
    await call('GET', `/${token}`),
    await call('GET', `/apps/${token}`),
    await call('GET', `/apps/${keyId}`),
    await call('GET', `/apps?limit=${token}&after=${token}&tagged_with=${token}&include_deleted=${keyId}`),
    await call('POST', '/apps', { descriptive_name: [token], owner_type: token, owner_id: keyId }),
    await call('POST', '/apps', token, { 'content-type': 'application/json' }),
    await call('POST', '/apps', token, { 'content-type': token }),
    await call('GET', '/apps', undefined, { authorization: `Basic ${token}` }),
    await call('GET', '/apps', undefined, { origin: `https://${token}.example` })
  ]
  for (const reply of replies) {
    t.ok(reply.status >= 400)
    t.notMatch(reply.text + JSON.stringify(reply.headers), token)
    t.notMatch(reply.text + JSON.stringify(reply.headers), keyId)
  }
})

test('health checks do not require a credential', async t => {
  const { fastify, env } = await world(t)
  t.same((await fastify.inject('/up')).json(), { status: 'ok' })
  t.same((await fastify.inject('/ready')).json(), { status: 'ok', changes: 'accepted', failing: [] })
  rmSync(env['DATABASE_URL'].slice('file:'.length))
  t.equal((await fastify.inject('/ready')).statusCode, 503, 'writes to a deleted file are lost')
  await fastify.storage.close()
  t.equal((await fastify.inject('/up')).statusCode, 200)
  const ready = await fastify.inject('/ready')
  t.equal(ready.statusCode, 503)
  t.match(ready.headers, { 'retry-after': '1' })
  t.match(ready.json(), { code: 'NOT_READY', errors: [/^schema: /] })
})

test('an unexpected error causes a 500 without details', async t => {
  const { fastify, call } = await world(t)
  await fastify.storage.close()
  const { status, headers, json, text } = await call('GET', '/apps')
  t.equal(status, 500)
  t.match(headers['x-request-id'], /^[\w-]{8}-[0-9a-z]+$/)
  t.match(json, { code: 'INTERNAL_ERROR', title: 'An unexpected error occurred' })
  t.notMatch(text, /database|sqlite|connection/i)
})

test('responses have security headers', async t => {
  const { call } = await world(t)
  for (const url of ['/up', '/apps', '/nope']) {
    t.match(
      (await call('GET', url)).headers,
      {
        'content-security-policy': "default-src 'none';frame-ancestors 'none'",
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer'
      },
      url
    )
  }
})

test('X-Forwarded-For is used only if a configured proxy sent it', async t => {
  const behind = await world(t, { TRUST_PROXY: '10.0.0.0/8' })
  const direct = await world(t)
  for (const { fastify, names } of [
    { ...behind, names: true },
    { ...direct, names: false }
  ]) {
    const seen: string[] = []
    fastify.addHook('onSend', async request => {
      seen.push(request.ip)
    })
    await fastify.inject({
      url: '/up',
      remoteAddress: '10.1.1.1',
      headers: { 'x-forwarded-for': '6.6.6.6, 203.0.113.9, 10.2.2.2' }
    })
    await fastify.inject({ url: '/up', remoteAddress: '203.0.113.77', headers: { 'x-forwarded-for': '6.6.6.6' } })
    t.same(seen, names ? ['203.0.113.9', '203.0.113.77'] : ['10.1.1.1', '203.0.113.77'])
  }
})
