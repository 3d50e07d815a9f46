import Fastify from 'fastify'
import { test } from 'tap'
import clientKeyPlugin from '../../plugins/app/client-key-plugin.ts'
import { createTokenSealer, issueClientKey } from '../../domain/keys/token/token.ts'
import { at, knownToken, listening, newSecret, onlyOnSqlite, raw, alwaysFresh, world } from '../helper.ts'
import type { World } from '../helper.ts'

const issue = async ({ call }: World, body: object): Promise<string> =>
  (await call('POST', '/client_keys', body)).json.key_access_token

/** Returns the status of a request that is sent from an address with an X-Forwarded-For header. */
const from = async ({ fastify }: World, token: string, remoteAddress: string, forwarded?: string): Promise<number> =>
  (
    await fastify.inject({
      url: '/client_keys/me',
      remoteAddress,
      headers: {
        authorization: `Bearer ${token}`,
        ...(forwarded === undefined ? {} : { 'x-forwarded-for': forwarded })
      }
    })
  ).statusCode

test('a key is accepted only from its addresses, regardless of X-Forwarded-For', async t => {
  const made = await world(t)
  const token = await issue(made, { name: 'k', allowed_ips: ['10.0.0.0/8', '2001:db8::/32'] })
  for (const inside of ['10.1.2.3', '::ffff:10.1.2.3', '2001:db8::7']) {
    t.equal(await from(made, token, inside), 200, inside)
  }
  for (const outside of ['11.0.0.1', '127.0.0.1', '::1', '2001:db9::7']) {
    t.equal(await from(made, token, outside), 403, outside)
  }
  t.equal(await from(made, token, '11.0.0.1', '10.1.2.3'), 403, 'forged')
  t.equal(await from(made, token, '10.1.2.3', '11.0.0.1'), 200, 'without trusted proxies, the header is ignored')
  const refused = await made.fastify.inject({
    url: '/apps',
    remoteAddress: '11.0.0.1',
    headers: { authorization: `Bearer ${token}` }
  })
  t.match(refused.json(), { status: 403, code: 'ADDRESS_NOT_ALLOWED', detail: /allowed_ips/ })
})

test("behind trusted proxies, the address is the last one that is not a trusted proxy's", async t => {
  const made = await world(t, { TRUST_PROXY: '127.0.0.1, 10.9.0.0/16' })
  const token = await issue(made, { name: 'k', allowed_ips: ['192.0.2.7'] })
  t.equal(await from(made, token, '127.0.0.1', '192.0.2.7'), 200)
  t.equal(await from(made, token, '127.0.0.1', '192.0.2.7, 10.9.1.1'), 200)
  t.equal(await from(made, token, '127.0.0.1', '192.0.2.7, 203.0.113.9'), 403, 'the client forged the first address')
  t.equal(await from(made, token, '203.0.113.9', '192.0.2.7'), 403, 'the request does not come from a proxy')
  t.equal(await from(made, token, '127.0.0.1', '192.0.2.7, garbage'), 403)
  t.equal(await from(made, token, '127.0.0.1', ''), 403)
  t.equal(await from(made, token, '127.0.0.1'), 403)
})

test('a value that a trusted proxy sent is not stored if it is not an address', async t => {
  const made = await world(t, { TRUST_PROXY: '127.0.0.1' })
  const { keyAccessToken: token } = made.key
  t.equal(await from(made, token, '127.0.0.1', token), 200)
  await made.call('POST', '/apps/ba6811fb3e073d/tags', { context: 'a', name: 'b' }, { 'x-forwarded-for': token })
  const {
    json: { id }
  } = await made.call('GET', '/client_keys/me')
  await made.fastify.keyUsage.flush()
  const { text } = await made.call('GET', `/client_keys/${id}/usage`)
  t.match(text, 'unknown')
  t.notMatch(text, token)
  t.equal((await made.call('GET', '/audits?limit=1')).json[0].address, 'unknown')
})

test('a forged X-Forwarded-For has no effect over a real socket', async t => {
  const made = await world(t)
  const token = await issue(made, { name: 'k', allowed_ips: ['192.0.2.7'] })
  const port = await listening(made.fastify)
  for (const header of [
    'X-Forwarded-For: 192.0.2.7',
    'Forwarded: for=192.0.2.7',
    'X-Real-IP: 192.0.2.7',
    'X-Forwarded-For: 192.0.2.7\r\nX-Forwarded-For: 192.0.2.7'
  ]) {
    t.match(
      await raw(
        port,
        `GET /apps HTTP/1.1\r\nHost: localhost:${port}\r\nConnection: close\r\nAuthorization: Bearer ${token}\r\n${header}\r\n\r\n`
      ),
      /^HTTP\/1\.1 403 /
    )
  }
})

test('a rate limit applies to all tokens of a key, and responses report its state', onlyOnSqlite, async t => {
  const made = await world(t)
  const {
    json: { id, key_access_token: first }
  } = await made.call('POST', '/client_keys', { name: 'k', rate_limit: { max: 3, window_seconds: 60 } })
  const second = (await made.call('POST', `/client_keys/${id}/rotate`, {})).json.key_access_token
  const other = await issue(made, { name: 'other', rate_limit: { max: 1, window_seconds: 60 } })
  const get = async (token: string, url = '/client_keys/me') =>
    await made.fastify.inject({ url, headers: { authorization: `Bearer ${token}` } })

  const replies = [await get(first), await get(second, '/apps/name_suggestion'), await get(first), await get(second)]
  t.same(
    replies.map(({ statusCode }) => statusCode),
    [200, 200, 200, 429]
  )
  t.same(
    replies.map(({ headers }) => headers['ratelimit-policy']),
    Array.from({ length: 4 }, () => '"client_key";q=3;w=60')
  )
  t.same(
    replies.map(({ headers }) => /^"client_key";r=(\d+);t=(60|59)$/.exec(String(headers['ratelimit']))?.[1]),
    ['2', '1', '0', '0']
  )
  t.match(at(replies, 3).headers['retry-after'], /^(60|59)$/)
  t.match(at(replies, 3).json(), { code: 'RATE_LIMITED', status: 429 })
  t.equal(at(replies).headers['retry-after'], undefined)
  t.equal((await get(other)).statusCode, 200, 'other keys are counted separately')
  t.equal((await get(made.key.keyAccessToken)).headers['ratelimit'], undefined, 'a key without a limit is not counted')

  const now = performance.now() + 60_000
  const clock = t.intercept(performance, 'now', { value: () => now })
  t.equal((await get(first)).statusCode, 200, 'the window has ended')
  clock.restore()
})

test('setting the clock back does not lock out a rate-limited key', async t => {
  const made = await world(t)
  const token = await issue(made, { name: 'k', rate_limit: { max: 2, window_seconds: 60 } })
  t.equal(await from(made, token, '127.0.0.1'), 200)
  const now = Date.now() - 3_600_000
  const clock = t.intercept(Date, 'now', { value: () => now })
  t.equal(await from(made, token, '127.0.0.1'), 200)
  const refused = await made.fastify.inject({
    url: '/client_keys/me',
    headers: { authorization: `Bearer ${token}` }
  })
  t.equal(refused.statusCode, 429)
  t.ok(Number(refused.headers['retry-after']) <= 60)
  clock.restore()
})

/** Returns the status lines of the responses to requests that are sent in one segment over one connection. */
const pipelined = async (port: number, token: string, requests: number): Promise<string[]> => {
  const request = (connection: string): string =>
    `GET /client_keys/me HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\nConnection: ${connection}\r\n\r\n`
  const text = request('keep-alive').repeat(requests - 1) + request('close')
  return [...(await raw(port, text)).matchAll(/HTTP\/1\.1 (\d+) /g)].map(([, status = '']) => status)
}

test('exactly as many pipelined requests succeed as the rate limit allows', async t => {
  const made = await world(t)
  const token = await issue(made, { name: 'k', rate_limit: { max: 10, window_seconds: 3600 } })
  const statuses = await pipelined(await listening(made.fastify), token, 12)
  t.same(
    [...statuses].sort(),
    Array.from({ length: 12 }, (_, index) => (index < 10 ? '200' : '429'))
  )
})

test('exactly as many parallel requests succeed as the rate limit allows', async t => {
  const made = await world(t)
  const token = await issue(made, { name: 'k', rate_limit: { max: 50, window_seconds: 3600 } })
  const port = await listening(made.fastify)
  const replies = await Promise.all(
    Array.from(
      { length: 200 },
      async () =>
        await fetch(`http://127.0.0.1:${port}/client_keys/me`, { headers: { authorization: `Bearer ${token}` } })
    )
  )
  const accepted = replies.filter(({ status }) => status === 200)
  t.equal(accepted.length, 50)
  t.equal(replies.filter(({ status }) => status === 429).length, 150)
  t.same(
    accepted
      .map(({ headers }) => Number(/;r=(\d+);/.exec(headers.get('ratelimit') ?? '')?.[1]))
      .sort((one, other) => one - other),
    Array.from({ length: 50 }, (_, remaining) => remaining),
    'each response reports a different number of remaining requests'
  )
})

test('a burst that continues into the next window is limited separately in each window', async t => {
  const made = await world(t)
  const token = await issue(made, { name: 'k', rate_limit: { max: 3, window_seconds: 1 } })
  const passed: Record<string, number> = { 2: 0, 1: 0, 0: 0 }
  while (Number(passed['2']) < 3) {
    const replies = await Promise.all(
      Array.from(
        { length: 20 },
        async () => await made.fastify.inject({ url: '/client_keys/me', headers: { authorization: `Bearer ${token}` } })
      )
    )
    for (const { statusCode, headers } of replies.filter(reply => reply.statusCode !== 429)) {
      t.equal(statusCode, 200)
      const remaining = String(/;r=(\d+);/.exec(String(headers['ratelimit']))?.[1])
      passed[remaining] = Number(passed[remaining]) + 1
    }
  }
  t.equal(new Set(Object.values(passed)).size, 1, JSON.stringify(passed))
})

test("a request is refused if its rate limit can't be checked", async t => {
  const secret = newSecret()
  const { keyAccessToken } = issueClientKey(createTokenSealer(secret))
  const bare = Fastify()
  t.teardown(() => bare.close())
  await bare.register(clientKeyPlugin, {
    secret,
    lookup: { ...alwaysFresh, findByDigest: () => knownToken({ rateLimit: { max: 100, windowSeconds: 60 } }) },
    counters: {
      hit: async () => {
        throw new Error('the counter is unreachable')
      }
    }
  })
  bare.get('/x', { config: { scope: null }, onRequest: bare.requireClientKey }, async () => ({}))
  const reply = await bare.inject({ url: '/x', headers: { authorization: `Bearer ${keyAccessToken}` } })
  t.equal(reply.statusCode, 503)
  t.match(reply.json(), { code: 'LIMIT_UNDECIDED' })
})
