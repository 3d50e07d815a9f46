import { test } from 'tap'
import { listening, raw, SAMPLE_PASSWORD, world } from '../helper.ts'
import type { World } from '../helper.ts'

const PROXIES = { TRUST_PROXY: '127.0.0.1, 10.0.0.0/8' }
const LOGIN = { email: 'ada@example.com', password: SAMPLE_PASSWORD }

/** Collects each request's addresses when its response is sent. */
const seenBy = ({ fastify }: World): { ip: string; ips: string[] | undefined }[] => {
  const seen: { ip: string; ips: string[] | undefined }[] = []
  fastify.addHook('onSend', async ({ ip, ips }) => {
    seen.push({ ip, ips })
  })
  return seen
}

const limitedKey = async ({ call }: World, allowedIps: string[]): Promise<string> => {
  const { json } = await call('POST', '/client_keys', { name: 'limited', allowed_ips: allowedIps })
  return String(json.key_access_token)
}

const statusFrom = async (made: World, token: string, forwarded: string): Promise<number> =>
  (await made.call('GET', '/apps', undefined, { authorization: `Bearer ${token}`, 'x-forwarded-for': forwarded }))
    .status

test("behind a proxy that adds ports and brackets, a request's address is that of the client", async t => {
  const made = await world(t, PROXIES)
  const seen = seenBy(made)
  for (const [forwarded, ip, ips] of [
    ['203.0.113.7:51234', '203.0.113.7', ['127.0.0.1', '203.0.113.7']],
    ['[2001:db8::5]:443', '2001:db8::5', ['127.0.0.1', '2001:db8::5']],
    ['6.6.6.6, 203.0.113.7:51234, 10.0.0.2:80', '203.0.113.7', ['127.0.0.1', '10.0.0.2', '203.0.113.7']],
    ['203.0.113.7, 10.0.0.3', '203.0.113.7', ['127.0.0.1', '10.0.0.3', '203.0.113.7']],
    ['203.0.113.7, _hidden', 'unknown', ['127.0.0.1', 'unknown']],
    [' ', '127.0.0.1', ['127.0.0.1']]
  ] as const) {
    await made.call('GET', '/up', undefined, { 'x-forwarded-for': forwarded })
    t.same(seen.pop(), { ip, ips }, forwarded)
  }
  await made.call('GET', '/nope', undefined, { 'x-forwarded-for': '203.0.113.7:51234' })
  t.match(seen.pop(), { ip: '203.0.113.7' }, 'even if there is no route')
})

test('allowed_ips apply to addresses in every notation that proxies use', async t => {
  const made = await world(t, PROXIES)
  const token = await limitedKey(made, ['203.0.113.0/24', '2001:db8::/64'])
  for (const inside of [
    '203.0.113.7',
    '203.0.113.7:51234',
    '203.0.113.7:51234, 10.0.0.2:80',
    '"[2001:db8::5]:443"',
    '[2001:db8::5], [::ffff:10.0.0.2]:80'
  ]) {
    t.equal(await statusFrom(made, token, inside), 200, inside)
  }
  for (const outside of [
    '203.0.113.7, 198.51.100.1:51234',
    '203.0.113.7, [2001:db8:0:1::5]:443',
    '203.0.113.7, unknown',
    '203.0.113.7, 10.0.0.2:port',
    '203.0.113.7, [10.0.0.2:80]'
  ]) {
    t.equal(await statusFrom(made, token, outside), 403, outside)
  }
})

test('several X-Forwarded-For lines are treated as one list, and Forwarded is ignored', async t => {
  const made = await world(t, PROXIES)
  const seen = seenBy(made)
  const port = await listening(made.fastify)
  await raw(
    port,
    'GET /up HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nX-Forwarded-For: 6.6.6.6\r\n' +
      'X-Forwarded-For: 203.0.113.7:51234\r\nForwarded: for=192.0.2.1\r\nx-forwarded-for: 10.0.0.2:80\r\n\r\n'
  )
  t.match(seen.pop(), { ip: '203.0.113.7', ips: ['127.0.0.1', '10.0.0.2', '203.0.113.7'] })
  await raw(port, 'GET /up HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nForwarded: for=192.0.2.1\r\n\r\n')
  t.match(seen.pop(), { ip: '127.0.0.1' })
})

const attempt = async ({ fastify }: World, url: string, forwarded: string) => {
  const response = await fastify.inject({
    method: 'POST',
    url,
    headers: { 'x-forwarded-for': forwarded },
    payload: url === '/auth' ? { ...LOGIN, name: 'Ada' } : LOGIN
  })
  return { status: response.statusCode, json: response.json<object>() }
}

test("users behind a proxy that adds ports do not use up each other's login attempts", async t => {
  const made = await world(t, PROXIES)
  for (let i = 0; i < 60; i++) await attempt(made, '/auth', `203.0.113.7:${50_000 + i}`)
  t.equal((await attempt(made, '/auth', '203.0.113.7:51234')).status, 429, 'the port is not part of the address')
  t.equal((await attempt(made, '/auth/sign_in', '203.0.113.8:51234')).status, 200)
  t.equal((await attempt(made, '/auth/sign_in', '[2001:db8::5]:443')).status, 200)
})

test('sign-in and sign-up from an unreadable address are refused with a reason', async t => {
  const made = await world(t, PROXIES)
  for (const forwarded of ['unknown', '_hidden', '203.0.113.7, x', '[2001:db8::5', '203.0.113.7:port']) {
    for (const url of ['/auth', '/auth/sign_in']) {
      const { status, json } = await attempt(made, url, forwarded)
      t.equal(status, 400, `${url} ${forwarded}`)
      t.match(json, { code: 'ADDRESS_UNKNOWN', detail: /X-Forwarded-For/ })
    }
  }
  t.equal((await attempt(made, '/auth/sign_in', '203.0.113.7')).status, 200)
  t.equal(await statusFrom(made, made.key.keyAccessToken, 'unknown'), 200, 'a key without allowed_ips needs no address')
})
