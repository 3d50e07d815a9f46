import Fastify from 'fastify'
import { test } from 'tap'
import { keyPrincipalOf } from '../../domain/access/principal.ts'
import { createTokenSealer, digestOf, issueClientKey } from '../../domain/keys/token/token.ts'
import clientKeyPlugin from '../../plugins/app/client-key-plugin.ts'
import { at, knownToken, legacySigner, listening, newSecret, alwaysFresh, raw, world } from '../helper.ts'

test('a client key can access every app of every owner', async t => {
  const { call } = await world(t)
  const { status, json } = await call('GET', '/apps')
  t.equal(status, 200)
  t.equal(json.length, 24)
  t.equal(
    new Set(json.map((app: { owner_type: string; owner_id: number }) => `${app.owner_type} ${app.owner_id}`)).size,
    7
  )
})

test('a request without a credential gets 401 and a challenge without an error code', async t => {
  const { fastify } = await world(t)
  const { statusCode, headers, payload } = await fastify.inject('/apps')
  t.equal(statusCode, 401)
  t.equal(headers['www-authenticate'], 'Bearer realm="trivial"')
  t.equal(headers['content-type'], 'application/problem+json; charset=utf-8')
  t.match(JSON.parse(payload), { status: 401, code: 'CREDENTIAL_REQUIRED' })
})

test('the authentication scheme is case-insensitive', async t => {
  const { fastify, key } = await world(t)
  for (const scheme of ['Bearer', 'bearer', 'BEARER', 'bEaReR']) {
    t.equal(
      (await fastify.inject({ url: '/apps', headers: { authorization: `${scheme} ${key.keyAccessToken}` } }))
        .statusCode,
      200,
      scheme
    )
  }
})

test('every invalid credential gets the same response', async t => {
  const { fastify, key, secret } = await world(t)
  const token = key.keyAccessToken
  const bad: Record<string, string> = {
    'no token': 'Bearer',
    'an empty token': 'Bearer ',
    'another scheme': `Basic ${token}`,
    'no scheme': token,
    'two blanks': `Bearer  ${token}`,
    'a tab': `Bearer\t${token}`,
    'a tab before the token': `Bearer \t${token}`,
    'two tokens': `Bearer ${token} ${token}`,
    'a comma': `Bearer ${token},`,
    'two credentials': `Bearer ${token}, Bearer ${token}`,
    'a parameter': `Bearer token="${token}"`,
    'a quoted token': `Bearer "${token}"`,
    'a typo': `Bearer ${token.slice(0, -1)}${token.endsWith('0') ? '1' : '0'}`,
    'a truncated token': `Bearer ${token.slice(0, -1)}`,
    'a key_id': `Bearer ${key.keyId}`,
    'a digest': `Bearer sha256:${digestOf(key.keyId)}`,
    'a key that is not allowed': `Bearer ${issueClientKey(createTokenSealer(secret)).keyAccessToken}`,
    'a token of another secret': `Bearer ${createTokenSealer(newSecret()).seal(key.keyId)}`,
    'a JWT': 'Bearer eyJhbGciOiJIUzI1NiJ9.eyJrZXlfaWQiOiJhbm90aGVyLWtleSJ9.xxxx',
    'a property name': 'Bearer __proto__',
    garbage: 'Bearer \xff\xfe',
    'a long string': `Bearer ${'x'.repeat(8000)}`
  }
  const replies = new Set<string>()
  for (const [name, authorization] of Object.entries(bad)) {
    const { statusCode, headers, payload } = await fastify.inject({ url: '/apps', headers: { authorization } })
    t.equal(statusCode, 401, name)
    const withoutId = payload.replace(String(headers['x-request-id']), '')
    replies.add(JSON.stringify([headers['www-authenticate'], headers['content-type'], withoutId]))
  }
  t.equal(replies.size, 1)
  const [challenge, , payload] = JSON.parse(at([...replies]))
  t.equal(challenge, 'Bearer realm="trivial", error="invalid_token"')
  t.match(JSON.parse(payload), {
    status: 401,
    code: 'INVALID_TOKEN',
    type: 'tag:trivialapps.io,2026:problem/invalid-token'
  })
})

test('a duplicate Authorization header is refused, even if both values are valid', async t => {
  const { fastify, key } = await world(t)
  const port = await listening(fastify)
  const good = `Authorization: Bearer ${key.keyAccessToken}\r\n`
  const request = (headers: string) =>
    raw(port, `GET /apps/ba6811fb3e073d HTTP/1.1\r\nHost: localhost:${port}\r\nConnection: close\r\n${headers}\r\n`)
  t.match(await request(good), /^HTTP\/1\.1 200 /)
  t.match(await request(`X-Author: Bearer x\r\nx-subject-id1: 1\r\n${good}`), /^HTTP\/1\.1 200 /)
  for (const headers of [good + good, `${good}authorization: Basic eDp5\r\n`, `AUTHORIZATION: x\r\n${good}`]) {
    const reply = await request(headers)
    t.match(reply, /^HTTP\/1\.1 401 /)
    t.match(reply, /error="invalid_token"/)
  }
})

test("a browser's request from a page on another site is refused with the reason", async t => {
  const { call } = await world(t)
  const refused: Record<string, string>[] = [
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
    { 'sec-fetch-site': 'none, cross-site' },
    { origin: 'https://evil.example' },
    { origin: 'http://localhost' },
    { origin: 'http://localhost:81' },
    { origin: 'null' },
    { origin: '' },
    { origin: 'http://localhost:80, http://localhost:80' },
    { 'sec-fetch-site': 'same-origin', origin: 'https://evil.example' }
  ]
  for (const headers of refused) {
    const reply = await call('GET', '/apps', undefined, { host: 'localhost:3000', ...headers })
    t.equal(reply.status, 403, JSON.stringify(headers))
    t.match(reply.json, { code: 'BROWSER_NOT_ALLOWED', status: 403, detail: /browser/ })
    t.notOk(Object.keys(reply.headers).some(name => name.startsWith('access-control-')))
  }
  const allowed: Record<string, string>[] = [
    { 'sec-fetch-site': 'same-origin', origin: 'http://localhost:3000' },
    { 'sec-fetch-site': 'none' },
    { origin: 'http://LOCALHOST:3000' },
    { origin: 'https://api.example.com', host: 'api.example.com' },
    { origin: 'https://api.example.com', host: 'api.example.com:443' },
    { origin: 'https://api.example.com:443', host: 'api.example.com' }
  ]
  for (const headers of allowed) {
    t.equal(
      (await call('GET', '/apps', undefined, { host: 'localhost:3000', ...headers })).status,
      200,
      JSON.stringify(headers)
    )
  }
})

test('a preflight gets no CORS headers', async t => {
  const { fastify } = await world(t)
  const { statusCode, headers } = await fastify.inject({
    method: 'OPTIONS',
    url: '/apps',
    headers: {
      origin: 'https://evil.example',
      'access-control-request-method': 'GET',
      'access-control-request-headers': 'authorization'
    }
  })
  t.equal(statusCode, 405)
  t.notOk(Object.keys(headers).some(name => name.startsWith('access-control-')))
})

test('previous secrets and legacy tokens are accepted if they are configured', async t => {
  const previous = newSecret()
  const old = issueClientKey(createTokenSealer(previous))
  const { fastify } = await world(t, {
    CLIENT_SECRET_PREVIOUS: ` ${newSecret()} , ${previous},`,
    CLIENT_KEYS: `, another-key ,${old.keyId},`,
    CLIENT_KEY_JWT: 'true'
  })
  const status = async (token: string) =>
    (await fastify.inject({ url: '/apps', headers: { authorization: `Bearer ${token}` } })).statusCode
  t.equal(await status(old.keyAccessToken), 200)
  const sign = legacySigner(fastify.config.CLIENT_SECRET)
  const legacy = sign({ key_id: 'another-key' })
  t.equal(legacy.split('.')[0], Buffer.from('{"alg":"HS256"}').toString('base64url'))
  t.equal(await status(legacy), 200)
  t.equal(await status(sign({ key_id: 'third-key' })), 401)
})

test('the plugin works in any Fastify service', async t => {
  const secret = newSecret()
  const sealer = createTokenSealer(secret)
  const [allowed, found, broken] = [issueClientKey(sealer), issueClientKey(sealer), issueClientKey(sealer)]
  const fastify = Fastify()
  t.teardown(() => fastify.close())
  await fastify.register(clientKeyPlugin, {
    secret,
    realm: 'reports',
    allowList: [allowed.keyId],
    lookup: {
      ...alwaysFresh,
      findByDigest: async digest => {
        if (digest === digestOf(broken.keyId)) throw new Error('the lookup is unavailable')
        return digest === digestOf(found.keyId) ? knownToken({ id: 'k1' }) : null
      }
    }
  })
  fastify.get('/reports', { config: { scope: null }, onRequest: fastify.requireClientKey }, async request => ({
    key: keyPrincipalOf(request).key.id
  }))
  fastify.get('/open', async request => ({ principal: request.principal }))
  const get = (token?: string) =>
    fastify.inject({ url: '/reports', headers: token === undefined ? {} : { authorization: `Bearer ${token}` } })

  t.match((await get(allowed.keyAccessToken)).json(), { key: /^env_/ })
  t.same((await get(found.keyAccessToken)).json(), { key: 'k1' })
  t.same((await fastify.inject('/open')).json(), { principal: null })
  const nobody = await get()
  t.equal(nobody.statusCode, 401)
  t.equal(nobody.headers['www-authenticate'], 'Bearer realm="reports"')
  t.match(nobody.json(), { code: 'CREDENTIAL_REQUIRED', statusCode: 401 })
  const bad = await get('x')
  t.equal(bad.statusCode, 401)
  t.equal(bad.headers['www-authenticate'], 'Bearer realm="reports", error="invalid_token"')
  const crossSite = await fastify.inject({
    url: '/reports',
    headers: { authorization: `Bearer ${allowed.keyAccessToken}`, 'sec-fetch-site': 'cross-site' }
  })
  t.equal(crossSite.statusCode, 403)
  t.equal((await get(broken.keyAccessToken)).statusCode, 503, 'if the lookup fails, the request is refused')
})

test('every refusal contains the realm that is passed to the plugin', async t => {
  const secret = newSecret()
  const { keyAccessToken } = issueClientKey(createTokenSealer(secret))
  const fastify = Fastify()
  t.teardown(() => fastify.close())
  await fastify.register(clientKeyPlugin, {
    secret,
    realm: 'reports',
    lookup: { ...alwaysFresh, findByDigest: () => knownToken({ scopes: ['apps:read'] }) }
  })
  fastify.get('/reports', { config: { scope: 'audits:read' }, onRequest: fastify.requireClientKey }, async () => ({}))
  const challenge = async (headers: Record<string, string>) =>
    (await fastify.inject({ url: '/reports', headers })).headers['www-authenticate']

  t.equal(await challenge({}), 'Bearer realm="reports"')
  t.equal(await challenge({ authorization: 'Bearer x' }), 'Bearer realm="reports", error="invalid_token"')
  t.equal(
    await challenge({ authorization: `Bearer ${keyAccessToken}` }),
    'Bearer realm="reports", error="insufficient_scope", scope="audits:read"'
  )
})
