import { test } from 'tap'
import { command } from '../cli/terminal.ts'
import { listening, required, raw, world } from '../helper.ts'
import type { Reply, World } from '../helper.ts'

const PUBLIC_URL = 'https://example.com/keys'

/** Headers that must not affect the URLs that clients get. */
const FORGED = {
  host: 'other.example.org',
  forwarded: 'host=other.example.org;proto=http',
  'x-forwarded-host': 'other.example.org',
  'x-forwarded-proto': 'http',
  'x-forwarded-prefix': '/other'
}

const LISTS = [
  '/apps',
  '/users',
  '/organizations',
  '/client_keys',
  '/audits',
  '/apps/ba6811fb3e073d/trail',
  '/organizations/1/trail'
]

const CREATED: readonly [url: string, body: object][] = [
  ['/apps', { descriptive_name: 'Night Shift', owner_type: 'User', owner_id: 1 }],
  ['/apps/ba6811fb3e073d/copy', { new_app_descriptive_name: 'Day Shift' }],
  ['/users', { name: 'Grace Ito', email: 'grace@example.com' }],
  ['/organizations', { name: 'Night Owls', billing_email: 'owls@example.com' }],
  ['/client_keys', { name: 'one' }]
]

/** Adds a second page to every list. */
const fill = async ({ call }: World): Promise<void> => {
  await call('POST', '/client_keys', { name: 'a' })
  await call('POST', '/client_keys', { name: 'b' })
  for (const panels of [{ size: 1 }, { size: 2 }]) await call('PATCH', '/apps/ba6811fb3e073d', { panels })
  for (const name of ['A', 'B']) await call('PATCH', '/organizations/1', { name })
}

const nextOf = ({ headers }: Reply): string =>
  required(/^<([^<>]+)>; rel="next"$/.exec(String(headers['link']))?.[1], 'the next page')

test('with PUBLIC_URL, Link and Location contain URLs under it, regardless of the request headers', async t => {
  const made = await world(t, { PUBLIC_URL: `${PUBLIC_URL}/`, TRUST_PROXY: '127.0.0.1' })
  await fill(made)
  // Strips the prefix, as a proxy does.
  const pathOf = (url: string): string => {
    t.ok(url.startsWith(`${PUBLIC_URL}/`), url)
    return url.slice(PUBLIC_URL.length)
  }
  for (const path of LISTS) {
    const first = await made.call('GET', `${path}?limit=1`, undefined, FORGED)
    const second = await made.call('GET', pathOf(nextOf(first)), undefined, FORGED)
    t.equal(second.status, 200, path)
    t.notSame(second.json, first.json, path)
  }
  for (const [path, body] of CREATED) {
    const { status, headers, json } = await made.call('POST', path, body, FORGED)
    t.equal(status, 201, path)
    const shown = await made.call('GET', pathOf(String(headers['location'])))
    t.equal(shown.json.id, json.id, path)
  }
})

test('every paginated list in the OpenAPI document describes its Link header, and the responses match', async t => {
  const made = await world(t)
  await fill(made)
  const { paths } = (await made.call('GET', '/docs/json')).json as {
    paths: Record<string, { get?: { responses: { 200: { headers?: { Link?: { schema: { pattern: string } } } } } } }>
  }
  const patterns = new Map(
    Object.entries(paths).flatMap(([path, { get }]) => {
      const pattern = get?.responses[200].headers?.Link?.schema.pattern
      return pattern === undefined ? [] : [[path, pattern]]
    })
  )
  const described = LISTS.map(path => path.replace('/ba6811fb3e073d/', '/{id}/').replace('/1/', '/{id}/'))
  t.same([...patterns.keys()].sort(), [...described].sort())
  for (const [index, path] of LISTS.entries()) {
    const { headers } = await made.call('GET', `${path}?limit=1`)
    t.match(headers['link'], new RegExp(required(patterns.get(String(described[index])), path)), path)
  }
})

test('without PUBLIC_URL, Link and Location are relative to the host, even if the request contains an absolute URL', async t => {
  const { fastify, key, call } = await world(t)
  t.equal(nextOf(await call('GET', '/users?limit=1')), '/users?limit=1&after=1')
  const created = await call('POST', '/organizations', { name: 'Night Owls', billing_email: 'owls@example.com' })
  t.equal(created.headers['location'], `/organizations/${created.json.id}`)
  const port = await listening(fastify)
  const reply = await raw(
    port,
    `GET http://127.0.0.1:${port}/users?limit=1 HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n` +
      `Authorization: Bearer ${key.keyAccessToken}\r\nConnection: close\r\n\r\n`
  )
  t.match(reply, /^link: <\/users\?limit=1&after=1>; rel="next"\r$/m)
})

test("a page from PUBLIC_URL's origin may use a client key, regardless of the Host that the proxy passes on", async t => {
  const { call } = await world(t, { PUBLIC_URL })
  const statusFor = async (headers: Record<string, string>): Promise<number> =>
    (await call('GET', '/apps', undefined, { host: 'trivial-api:3000', ...headers })).status
  t.equal(await statusFor({ origin: 'https://example.com' }), 200)
  t.equal(await statusFor({ origin: 'https://example.com', 'sec-fetch-site': 'same-origin' }), 200)
  t.equal(await statusFor({ origin: 'http://trivial-api:3000' }), 200, 'a page on the host itself')
  t.equal(await statusFor({ origin: 'https://other.example.com' }), 403)
  t.equal(await statusFor({ origin: 'http://example.com' }), 403)
  t.equal(await statusFor({ origin: 'http://example.com', host: 'example.com' }), 403, 'another scheme')
  t.equal(await statusFor({ origin: 'https://example.com', 'sec-fetch-site': 'cross-site' }), 403)
})

test('PUBLIC_URL is the server in the OpenAPI document', async t => {
  const { call } = await world(t, { PUBLIC_URL, TRUST_PROXY: '127.0.0.1' })
  t.same((await call('GET', '/docs/json', undefined, FORGED)).json.servers, [{ url: PUBLIC_URL }])
  const printed = await command(t, 'openapi', { env: { PUBLIC_URL } })
  t.same(JSON.parse(printed.stdout).servers, [{ url: PUBLIC_URL }])
  t.match(await command(t, 'openapi', { env: { PUBLIC_URL: 'example.com' } }), {
    code: 1,
    stderr: /PUBLIC_URL \(set in the environment\) must be/
  })
})
