import { test } from 'tap'
import { listening, raw, world } from '../helper.ts'
import { signIn } from '../routes/user.ts'

test('every kind of response to a page from an allowed origin has CORS headers', async t => {
  const origin = 'https://app.example.com'
  const made = await world(t, { CORS_ORIGINS: origin })
  const ada = await signIn(made, 'ada')
  for (const [method, url, status, body, more] of [
    ['GET', '/profile', 200],
    ['GET', '/manifests', 404],
    ['GET', '/docs/nope', 404],
    ['PUT', '/apps', 405],
    ['GET', '/apps/%zz', 400],
    ['GET', `/apps/${'x'.repeat(200)}`, 404],
    ['GET', '/apps?a=%00', 400],
    ['GET', '/apps', 400, undefined, { host: 'a b' }],
    ['GET', '/apps', 417, undefined, { expect: 'x' }],
    ['POST', '/apps', 400, '{', { 'content-type': 'application/json' }],
    ['POST', '/apps', 413, 'x'.repeat(1024 * 1024 + 1), { 'content-type': 'application/json' }],
    ['POST', '/apps', 415, 'x', { 'content-type': 'text/plain' }]
  ] as const) {
    const reply = await ada(method, url, body, { origin, ...more })
    t.equal(reply.status, status, `${method} ${url}`)
    t.match(
      reply.headers,
      {
        'access-control-allow-origin': origin,
        'access-control-expose-headers': /, x-request-id$/,
        vary: 'Origin',
        'x-content-type-options': 'nosniff'
      },
      `${method} ${url}`
    )
    const elsewhere = await ada(method, url, body, { ...more, origin: 'https://other.example.com' })
    t.match(elsewhere, { status, headers: { vary: 'Origin', 'access-control-allow-origin': undefined } }, url)
    const withKey = await made.call(method, url, body, { ...more, origin })
    t.equal(withKey.headers['access-control-allow-origin'], undefined, `${method} ${url} with a client key`)
  }
  t.match((await made.fastify.inject('/apps/%zz')).headers, {
    vary: 'Origin',
    'access-control-allow-origin': undefined
  })
  const port = await listening(made.fastify)
  const preflight = await raw(
    port,
    `OPTIONS /manifests HTTP/1.1\r\nHost: a\r\nConnection: close\r\nOrigin: ${origin}\r\n` +
      'Access-Control-Request-Method: GET\r\nAccess-Control-Request-Headers: x-request-id\r\n\r\n'
  )
  t.match(preflight, /^HTTP\/1\.1 204 /)
  t.match(preflight, /^access-control-allow-headers: .*x-request-id/im)
})

test('a refused OPTIONS request gets a problem document', async t => {
  const { call, fastify } = await world(t, { CORS_ORIGINS: 'https://app.example.com' })
  for (const [url, status, code, headers, payload] of [
    ['/apps?x=%zz', 400, 'BAD_URL', {}],
    ['/apps', 417, 'EXPECTATION_FAILED', { expect: 'x' }],
    ['/apps', 400, 'BAD_REQUEST', { host: 'a,b' }],
    ['/apps', 400, 'MALFORMED_JSON', { 'content-type': 'application/json' }, '{'],
    ['/apps', 415, 'UNSUPPORTED_MEDIA_TYPE', { 'content-type': 'text/plain' }, 'x'],
    ['/apps', 413, 'BODY_TOO_LARGE', { 'content-type': 'application/json' }, 'x'.repeat(1024 * 1024 + 1)]
  ] as const) {
    const reply = await fastify.inject({
      method: 'OPTIONS',
      url,
      headers: { authorization: 'Bearer x', ...headers },
      ...(payload === undefined ? {} : { payload })
    })
    t.match(reply, { statusCode: status, headers: { 'content-type': /^application\/problem\+json/ } }, code)
    t.match(reply.json(), { code, request_id: reply.headers['x-request-id'] })
  }
  t.equal((await call('OPTIONS', '/apps')).status < 500, true)
})
