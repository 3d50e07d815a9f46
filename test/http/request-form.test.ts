import { once } from 'node:events'
import { connect } from 'node:net'
import { test } from 'tap'
import { listenForMetrics } from '../../http/metrics/listen.ts'
import { at, listening, raw, world } from '../helper.ts'

const PROBLEM = /^content-type: application\/problem\+json/im

interface Reply {
  status: number
  code: string | undefined
  text: string
}

const ask = async (port: number, request: string): Promise<Reply> => {
  const text = await raw(port, request)
  const status = Number(/^HTTP\/1\.1 (?!100)(\d+) /m.exec(text)?.[1])
  return { status, code: PROBLEM.test(text) ? /"code":"(\w+)"/.exec(text)?.[1] : undefined, text }
}

const get = (target: string, headers: string, version = '1.1'): string =>
  `GET ${target} HTTP/${version}\r\n${headers}Connection: close\r\n\r\n`

test('a request must name one host, as HTTP/1.1 requires', async t => {
  const { fastify } = await world(t)
  const port = await listening(fastify)
  for (const [headers, target = '/up'] of [
    [''],
    ['', '/nope'],
    ['', '/apps'],
    ['Host: a\r\nHost: a\r\n'],
    ['Host: a\r\nHost: b\r\n'],
    ['Host: a b\r\n'],
    ['Host: a/b\r\n'],
    ['Host: a, b\r\n'],
    ['Host: user@a\r\n'],
    ['Host: caf\u00e9\r\n'],
    ['Host: a\r\n', 'http://b/up'],
    ['Host: a\r\n', 'https://a:8080/up'],
    ['', 'http://a/up'],
    ['Host: a\r\n', 'http://b']
  ] as const) {
    const { status, code, text } = await ask(port, get(target, headers))
    t.match({ status, code }, { status: 400, code: 'BAD_REQUEST' }, `${target} ${headers}`)
    t.match(text, 'Send it once, with only a host and a port')
  }
  for (const [headers, target, version] of [
    ['Host: a:3000\r\n', '/up', '1.1'],
    ['Host: [::1]:3000\r\n', '/up', '1.1'],
    ['Host:\r\n', '/up', '1.1'],
    ['Host: A:80\r\n', 'http://a:80/up?x=1', '1.1'],
    ['', '/up', '1.0']
  ] as const) {
    t.equal((await ask(port, get(target, headers, version))).status, 200, `${target} ${headers}`)
  }
  t.match(await ask(port, 'GET /up\r\n\r\n'), { status: 400, code: 'BAD_REQUEST' }, 'HTTP/0.9')
  t.equal((await ask(port, get('http://a/up', '', '1.0'))).status, 400, 'a host only in the URL')
})

test('an unknown expectation causes a problem document', async t => {
  const { fastify } = await world(t)
  const port = await listening(fastify)
  for (const target of ['/up', '/apps', '/nope']) {
    for (const expect of ['foo', '100-continue, foo', '']) {
      const reply = await ask(port, get(target, `Host: a\r\nExpect: ${expect}\r\n`))
      t.match(reply, { status: 417, code: 'EXPECTATION_FAILED' }, `${target} ${expect}`)
    }
  }
  t.match((await ask(port, get('/up', 'Host: a\r\nExpect: 100-Continue\r\n'))).text, /^HTTP\/1\.1 100 Continue/)
  t.equal((await ask(port, get('/up', 'Host: a\r\nExpect: 100-Continue\r\n'))).status, 200)
  t.equal(
    (await ask(port, get('/up', 'Expect: foo\r\n', '1.0'))).status,
    200,
    'HTTP/1.0 does not define the Expect header'
  )
})

test('every malformed or ambiguous request causes a problem document', async t => {
  const { fastify, key } = await world(t)
  const port = await listening(fastify)
  const head = 'Host: a\r\nConnection: close\r\n'
  const post = `POST /auth/sign_in HTTP/1.1\r\n${head}Content-Type: application/json\r\n`
  for (const [request, status, code] of [
    ['CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n', 400, 'BAD_REQUEST'],
    ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400, 'BAD_REQUEST'],
    ['\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001', 400, 'BAD_REQUEST'],
    [`GET /up HTTP/1.2\r\n${head}\r\n`, 400, 'BAD_REQUEST'],
    [`GET up HTTP/1.1\r\n${head}\r\n`, 400, 'BAD_REQUEST'],
    [`GET /up HTTP/1.1\r\n${head}X: a\r\n b\r\n\r\n`, 400, 'BAD_REQUEST'],
    [`GET /caf\u00e9 HTTP/1.1\r\n${head}\r\n`, 400, 'BAD_REQUEST'],
    [`OPTIONS * HTTP/1.1\r\n${head}\r\n`, 404, 'ROUTE_NOT_FOUND'],
    [`GET * HTTP/1.1\r\n${head}\r\n`, 404, 'ROUTE_NOT_FOUND'],
    [`GET ftp://a/up HTTP/1.1\r\n${head}\r\n`, 404, 'ROUTE_NOT_FOUND'],
    [`${post}Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n2\r\n{}\r\n0\r\n\r\n`, 400, 'BAD_REQUEST'],
    [`${post}Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}`, 400, 'BAD_REQUEST'],
    [`${post}Transfer-Encoding: gzip, chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n`, 400, 'BAD_REQUEST'],
    [`${post.replace('1.1', '1.0')}Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n`, 400, 'BAD_REQUEST'],
    [`${post}Transfer-Encoding: Chunked\r\n\r\n2;a=b\r\n{}\r\n0\r\n\r\n`, 422, 'INVALID_FIELDS'],
    [`${post}Transfer-Encoding: chunked\r\n\r\n2;\u0001\r\n{}\r\n0\r\n\r\n`, 400, 'BAD_REQUEST'],
    [`${post}Transfer-Encoding: chunked\r\n\r\n2;${'a'.repeat(20_000)}\r\n{}\r\n0\r\n\r\n`, 400, 'BAD_REQUEST'],
    [`${post}Content-Type: text/plain\r\nContent-Length: 2\r\n\r\n{}`, 415, 'UNSUPPORTED_MEDIA_TYPE'],
    [get('/apps', `Host: a\r\nAuthorization: Bearer  ${key.keyAccessToken}\r\n`), 401, 'INVALID_TOKEN']
  ] as const) {
    const reply = await ask(port, request)
    t.match(reply, { status, code }, JSON.stringify(request.slice(0, 60)).replace(/tck_\w*/, ''))
  }
  for (const upgrade of ['websocket', 'h2c']) {
    const request = `GET /up HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, close\r\nUpgrade: ${upgrade}\r\n\r\n`
    t.match((await ask(port, request)).text, /^HTTP\/1\.1 200 /, 'the connection is not upgraded')
  }
})

test('a client that disconnects or continues after CONNECT does no harm', async t => {
  const { fastify } = await world(t)
  const port = await listening(fastify)
  const text = 'CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n'
  t.match(await raw(port, text + 'x'.repeat(100_000)), /^(HTTP\/1\.1 400 |\[)/)
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'connect')
  // The connection is reset between the request and its response.
  fastify.server.prependListener('connect', () => {
    socket.resetAndDestroy()
  })
  socket.write(text)
  await once(socket, 'close')
  t.equal((await fetch(`http://127.0.0.1:${port}/up`)).status, 200)
})

test('metrics count requests that are refused because they are malformed or ambiguous', async t => {
  const { fastify } = await world(t, { METRICS_PORT: '0' })
  const metricsPort = Number(await listenForMetrics(fastify))
  const port = await listening(fastify)
  await ask(port, get('/up', 'Host: a\r\nExpect: foo\r\n'))
  await ask(port, get('/up', ''))
  const metrics = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text()
  t.match(metrics, 'trivial_http_requests_total{method="GET",route="/up",status="417"} 1')
  t.match(metrics, 'trivial_http_requests_total{method="GET",route="/up",status="400"} 1')
})

test('the metrics listener refuses the same requests', async t => {
  const { fastify } = await world(t, { METRICS_PORT: '0' })
  const port = Number(await listenForMetrics(fastify))
  t.teardown(() => fastify.close())
  const head = 'Host: a\r\nConnection: close\r\n'
  for (const [request, status, code] of [
    [get('/metrics', ''), 400, 'BAD_REQUEST'],
    [get('/metrics', 'Host: a\r\nHost: b\r\n'), 400, 'BAD_REQUEST'],
    [get('/metrics?%ff', 'Host: a\r\n'), 400, 'BAD_URL'],
    [get('/metrics', 'Host: a\r\nExpect: foo\r\n'), 417, 'EXPECTATION_FAILED'],
    [`GET /metrics HTTP/1.1\r\n${head}${'a:\r\n'.repeat(1000)}\r\n`, 431, 'HEADERS_TOO_LARGE'],
    [`GET /metrics HTTP/1.1\r\n${head}a: ${'a'.repeat(17_000)}\r\n\r\n`, 431, 'HEADERS_TOO_LARGE'],
    ['CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n', 400, 'BAD_REQUEST'],
    ['nonsense\r\n\r\n', 400, 'BAD_REQUEST']
  ] as const) {
    t.match(await ask(port, request), { status, code }, request.slice(0, 60))
  }
  t.equal((await ask(port, get('/metrics', 'Host: a\r\n'))).status, 200)
})

test('each of these responses is documented for every route', async t => {
  const { call } = await world(t)
  const { paths } = (await call('GET', '/docs/json')).json as {
    paths: Record<string, Record<string, { responses: Record<string, { $ref?: string }> }>>
  }
  const operations = Object.values(paths).flatMap(Object.values) as (typeof paths)[string][string][]
  t.ok(operations.length > 50)
  for (const { responses } of operations) {
    for (const [status, code] of [
      ['400', 'BadRequest_BadUrl'],
      ['408', 'RequestTimeout'],
      ['417', 'ExpectationFailed'],
      ['431', 'HeadersTooLarge']
    ] as const) {
      t.match(at([responses[status]])?.$ref, code)
    }
  }
})
