import { spawn } from 'node:child_process'
import { connect } from 'node:net'
import { join } from 'node:path'
import { test } from 'tap'
import type { Test } from 'tap'
import { authorize, execute, newPage, open, skip } from '../browser/page.ts'
import { collect, listening, required, root, world } from '../helper.ts'
import type { World } from '../helper.ts'
import { startNginx } from '../nginx.ts'
import { freePort } from '../services.ts'

interface Proxied extends World {
  /** The URL of the service behind nginx. */
  readonly base: string
  readonly headers: Readonly<Record<string, string>>
}

/** Starts a service behind nginx with examples/nginx.conf. Returns null if nginx isn't installed. */
const behindNginx = async (t: Test, knowsUrl = true): Promise<Proxied | null> => {
  const nginx = await freePort()
  const base = `http://127.0.0.1:${nginx}/keys`
  const made = await world(t, { TRUST_PROXY: '127.0.0.1', ...(knowsUrl ? { PUBLIC_URL: base } : {}) })
  const isRunning = await startNginx(t, { nginx, service: await listening(made.fastify) })
  return isRunning ? { ...made, base, headers: { authorization: `Bearer ${made.key.keyAccessToken}` } } : null
}

const nextOf = ({ headers }: Response): string | undefined =>
  /^<([^<>]+)>; rel="next"$/.exec(headers.get('link') ?? '')?.[1]

test('behind nginx, a client can follow Link through all pages, and Location to what it created', async t => {
  const made = await behindNginx(t)
  if (made === null) return
  const { base, headers, call } = made
  const pages: unknown[][] = []
  for (let url: string | undefined = `${base}/apps?limit=7`; url !== undefined;) {
    const response = await fetch(url, { headers })
    t.equal(response.status, 200, url)
    pages.push((await response.json()) as unknown[])
    url = nextOf(response)
  }
  t.equal(pages.length, 4)
  t.same(pages.flat(), (await call('GET', '/apps')).json)

  const app = { descriptive_name: 'Night Shift', owner_type: 'User', owner_id: 1 }
  for (const [path, body] of [
    ['/apps', app],
    ['/client_keys', { name: 'one' }]
  ] as const) {
    const created = await fetch(`${base}${path}`, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json' },
      body: JSON.stringify(body)
    })
    t.equal(created.status, 201)
    const { id } = (await created.json()) as { id: unknown }
    const location = required(created.headers.get('location') ?? undefined, 'Location')
    t.match(await (await fetch(location, { headers })).json(), { id })
  }
})

for (const [program, example] of [
  [process.execPath, 'fetch.js'],
  ['sh', 'curl.sh']
] as const) {
  test(`behind nginx, ${example} lists every app`, async t => {
    const made = await behindNginx(t)
    if (made === null) return
    const child = spawn('sh', ['-c', 'unset NODE_OPTIONS; exec "$0" "$@"', program, join(root, 'examples', example)], {
      env: { PATH: process.env['PATH'], KEY_ACCESS_TOKEN: made.key.keyAccessToken, BASE: made.base }
    })
    const { code, stdout, stderr } = await collect(child).ended
    t.same([code, stderr], [0, ''])
    t.equal(stdout.trimEnd().split('\n').length, 24)
  })
}

test('nginx passes on a streamed list and a large body, but the service rejects a body that is too large', async t => {
  const made = await behindNginx(t)
  if (made === null) return
  const { base, headers } = made
  const text = 'x'.repeat(900 * 1024)
  const put = async (panels: object): Promise<Response> =>
    await fetch(`${base}/apps/ba6811fb3e073d`, {
      method: 'PUT',
      headers: { ...headers, 'content-type': 'application/json' },
      body: JSON.stringify({ panels })
    })
  t.equal((await put({ text })).status, 200)
  const tooLarge = await put({ text, more: text })
  t.equal(tooLarge.status, 413)
  t.match(await tooLarge.json(), { code: 'BODY_TOO_LARGE' })

  const list = await fetch(`${base}/apps`, { headers: { ...headers, accept: 'application/x-ndjson' } })
  t.match(list.headers.get('content-type'), 'application/x-ndjson')
  const lines = (await list.text()).trimEnd().split('\n')
  const apps = lines.map(line => JSON.parse(line) as { name: string; panels: unknown })
  t.equal(apps.length, 24)
  t.same(apps.find(({ name }) => name === 'ba6811fb3e073d')?.panels, { text })
})

test('nginx passes on long headers, but the service rejects headers that are too long', async t => {
  const made = await behindNginx(t)
  if (made === null) return
  const { base, headers } = made
  for (const [length, status] of [
    [9000, 200],
    [15_000, 200],
    [20_000, 431]
  ] as const) {
    const reply = await fetch(`${base}/apps?limit=1`, { headers: { ...headers, 'x-note': 'x'.repeat(length) } })
    t.equal(reply.status, status, `a line of ${length} bytes`)
    if (status === 431) t.match(await reply.json(), { code: 'HEADERS_TOO_LARGE' })
  }
})

test('nginx passes on an HTTP/1.0 request without a Host header', async t => {
  const made = await behindNginx(t)
  if (made === null) return
  const { hostname, port, pathname } = new URL(made.base)
  const socket = connect(Number(port), hostname)
  socket.setEncoding('utf8').write(`GET ${pathname}/up HTTP/1.0\r\n\r\n`)
  t.match((await socket.toArray()).join(''), /^HTTP\/1\.1 200 /)
})

test("nginx passes on the client's address, and ignores forwarded headers from the client", async t => {
  const made = await behindNginx(t)
  if (made === null) return
  const { base, call } = made
  const statusFrom = async (address: string): Promise<number> => {
    const { json } = await call('POST', '/client_keys', { name: address, allowed_ips: [address] })
    const headers = {
      authorization: `Bearer ${json.key_access_token}`,
      'x-forwarded-for': '203.0.113.9',
      'x-forwarded-host': 'other.example.org'
    }
    return (await fetch(`${base}/apps?limit=1`, { headers })).status
  }
  t.equal(await statusFrom('127.0.0.1'), 200)
  t.equal(await statusFrom('203.0.113.9'), 403)
})

test('nginx responds with 502 if the service is down', async t => {
  const made = await behindNginx(t)
  if (made === null) return
  t.equal((await fetch(`${made.base}/up`)).status, 200)
  await made.fastify.close()
  t.equal((await fetch(`${made.base}/up`)).status, 502)
})

for (const knowsUrl of [true, false]) {
  const name = `behind nginx, the documentation page works ${knowsUrl ? 'with' : 'without'} PUBLIC_URL`
  test(name, { skip }, async t => {
    const made = await behindNginx(t, knowsUrl)
    if (made === null) return
    const { base, key } = made
    const { page, issues } = await newPage(t)
    const failed: string[] = []
    page.on('requestfailed', request => failed.push(request.url()))
    page.on('response', response => {
      if (response.status() >= 400 || !response.url().startsWith(`${base}/`)) failed.push(response.url())
    })
    for (const path of ['/docs', '/docs/', '/docs/static/index.html']) {
      await page.goto(`${base}${path}`)
      await page.locator('.info .title').waitFor()
    }
    await authorize(page, key.keyAccessToken)
    for (const [tag, operationId, url, status] of [
      ['Apps', 'listApps', `${base}/apps?limit=20&include_deleted=false`, 200],
      ['Client_keys', 'issueClientKey', `${base}/client_keys`, 201]
    ] as const) {
      const { request, response } = await execute(page, await open(page, tag, operationId))
      t.equal(request.url(), url)
      t.equal(response.status(), status)
    }
    t.same([failed, issues], [[], []])
  })
}
