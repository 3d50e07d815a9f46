import { test } from 'tap'
import { parse } from 'yaml'
import { world } from '../helper.ts'

/** The service's URL behind a proxy. */
const PREFIX = 'https://example.com/a/prefix'

test('Swagger UI is a page with files, none of which may load anything from another origin', async t => {
  const { fastify } = await world(t)
  for (const path of ['/docs', '/docs/']) {
    const page = await fastify.inject(path)
    t.equal(page.statusCode, 200)
    t.match(page.headers['content-type'], 'text/html')
    const files = [...page.payload.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, file]) => String(file))
    t.ok(files.length > 3)
    for (const file of files) {
      // Resolves the URL as a browser does. The proxy strips the prefix.
      const { href } = new URL(file, `${PREFIX}${path}`)
      t.ok(href.startsWith(`${PREFIX}/docs/`), href)
      const { statusCode, headers } = await fastify.inject(href.slice(PREFIX.length))
      t.equal(statusCode, 200, href)
      t.match(headers['content-security-policy'], "default-src 'none'; base-uri 'none'; connect-src 'self'")
    }
  }
})

test("the page's HTML file redirects to the page, with any path prefix", async t => {
  const { fastify } = await world(t)
  const { statusCode, headers } = await fastify.inject('/docs/static/index.html')
  t.equal(statusCode, 302)
  t.equal(new URL(String(headers.location), `${PREFIX}/docs/static/index.html`).href, `${PREFIX}/docs/`)
})

test('a Swagger UI file that a client has cached is not sent again, and HEAD has no body', async t => {
  const { fastify } = await world(t)
  const url = '/docs/static/swagger-ui.css'
  const whole = await fastify.inject(url)
  t.ok(whole.rawPayload.length > 1000)
  const again = await fastify.inject({ url, headers: { 'if-none-match': String(whole.headers.etag) } })
  t.equal(again.statusCode, 304)
  t.equal(again.payload, '')
  const head = await fastify.inject({ method: 'HEAD', url })
  t.equal(head.statusCode, 200)
  t.equal(head.payload, '')
  t.equal(head.headers['content-length'], whole.headers['content-length'])
})

test("the page has this API's title and icon", async t => {
  const { fastify } = await world(t)
  const { payload } = await fastify.inject('/docs')
  t.match(payload, '<title>Trivial API</title>')
  const icons = [...payload.matchAll(/rel="icon".*?href="([^"]+)"/g)].map(([, path]) => String(path))
  t.same(icons, ['./docs/static/theme/icon.svg'])
  t.match((await fastify.inject('/docs/static/theme/icon.svg')).headers['content-type'], 'image/svg+xml')
})

test('the document contains the server address from its own request', async t => {
  const addressIn = async (env: Record<string, string>, headers: Record<string, string>): Promise<unknown> => {
    const { fastify } = await world(t, env)
    const { servers } = (await fastify.inject({ url: '/docs/json', headers })).json<{ servers: unknown }>()
    const yaml = await fastify.inject({ url: '/docs/yaml', headers })
    t.same((parse(yaml.payload) as { servers: unknown }).servers, servers)
    return servers
  }
  const forwarded = { host: '10.1.2.3:3000', 'x-forwarded-host': 'api.example.org', 'x-forwarded-proto': 'https' }
  t.same(await addressIn({}, { host: 'api.example.org:8080' }), [{ url: 'http://api.example.org:8080' }])
  t.same(await addressIn({}, forwarded), [{ url: 'http://10.1.2.3:3000' }])
  t.same(await addressIn({ TRUST_PROXY: '127.0.0.1' }, forwarded), [{ url: 'https://api.example.org' }])
  const unclear = { 'x-forwarded-host': 'no address' }
  t.same(await addressIn({ TRUST_PROXY: '127.0.0.1' }, unclear), [{ url: '/' }])
})

test('the documentation page calls the URL that it was loaded from, with any proxy and any PUBLIC_URL', async t => {
  const { fastify } = await world(t)
  const other = await world(t, { PUBLIC_URL: 'https://example.com/keys' })
  const page = { 'sec-fetch-site': 'same-origin', 'sec-fetch-dest': 'empty' }
  for (const each of [fastify, other.fastify]) {
    const { servers } = (await each.inject({ url: '/docs/json', headers: page })).json<{ servers: { url: string }[] }>()
    t.same(servers, [{ url: '..' }])
    t.equal(new URL(String(servers[0]?.url), `${PREFIX}/docs/json`).href, `${PREFIX}/`)
  }
  const serverFor = async (headers: Record<string, string>): Promise<unknown> =>
    (await fastify.inject({ url: '/docs/json', headers })).json<{ servers: { url: string }[] }>().servers[0]?.url
  const address = 'http://localhost'
  t.equal(await serverFor({ 'sec-fetch-site': 'same-origin', 'sec-fetch-dest': 'document' }), address, 'a download')
  t.equal(await serverFor({ 'sec-fetch-site': 'none', 'sec-fetch-dest': 'document' }), address)
  t.equal(
    await serverFor({ 'sec-fetch-site': 'cross-site', 'sec-fetch-dest': 'empty' }),
    address,
    'a page on another site'
  )
})

test('the document is served as JSON and as YAML, and does not describe the documentation routes', async t => {
  const { fastify } = await world(t)
  const json = await fastify.inject('/docs/json')
  t.match(json.headers['content-type'], 'application/json')
  t.same(
    Object.keys(json.json<{ paths: object }>().paths).filter(path => path.startsWith('/docs')),
    []
  )
  const yaml = await fastify.inject('/docs/yaml')
  t.match(yaml.headers['content-type'], 'application/x-yaml')
  t.match(yaml.payload, /^openapi: 3\.1\.0$/m)
})
