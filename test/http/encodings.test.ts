import { test } from 'tap'
import { at, listening, raw, world } from '../helper.ts'
import type { Reply, World } from '../helper.ts'
import { signIn } from '../routes/user.ts'

const JSON_TYPE = { 'content-type': 'application/json' }

const issue = async ({ call }: World, body: string | Buffer, headers: Record<string, string> = {}): Promise<Reply> =>
  await call('POST', '/client_keys', body, { ...JSON_TYPE, ...headers })

const namesOf = async ({ call }: World): Promise<string[]> =>
  ((await call('GET', '/client_keys')).json as { name: string }[]).map(({ name }) => name)

test('a body that is not valid UTF-8 is rejected, and nothing is stored', async t => {
  const made = await world(t)
  const before = await namesOf(made)
  for (const bytes of [
    [0xe9],
    [0xc3],
    [0xc0, 0xaf],
    [0xed, 0xa0, 0x80],
    [0xf4, 0x90, 0x80, 0x80],
    [0xf8, 0x88, 0x80, 0x80, 0x80],
    [0xff]
  ]) {
    const body = Buffer.concat([Buffer.from('{"name":"caf'), Buffer.from(bytes), Buffer.from('"}')])
    const { status, json } = await issue(made, body)
    t.match({ status, json }, { status: 400, json: { code: 'MALFORMED_JSON', detail: /not UTF-8/ } }, bytes.join())
  }
  for (const encoded of [Buffer.from('\ufeff{"name":"utf-16"}', 'utf16le'), Buffer.from('{"name":"ü"}', 'latin1')]) {
    t.match(await issue(made, encoded), { status: 400, json: { code: 'MALFORMED_JSON' } })
  }
  t.same(await namesOf(made), before)
  t.equal((await issue(made, '{"name":"café 𝕏 \\ud835\\udd4f \ufffd"}')).json.name, 'café 𝕏 𝕏 \ufffd')
})

test('a charset other than UTF-8 is rejected, even if the bytes are valid UTF-8', async t => {
  const made = await world(t)
  for (const type of [
    'application/json; charset=iso-8859-1',
    'application/json;charset="ISO-8859-1"',
    'application/json; a=b; Charset = utf-16',
    'application/json; charset=utf-8; charset=latin1',
    'application/json; charset='
  ]) {
    const { status, json } = await issue(made, '{"name":"x"}', { 'content-type': type })
    t.match({ status, json }, { status: 415, json: { code: 'UNSUPPORTED_MEDIA_TYPE', detail: /UTF-8/ } }, type)
  }
  for (const [index, type] of [
    'application/json; charset=utf-8',
    'Application/JSON;charset="UTF-8"',
    'application/json; CHARSET=utf8',
    'application/json; charset=us-ascii',
    'application/json; a=b'
  ].entries()) {
    t.equal((await issue(made, `{"name":"key ${index}"}`, { 'content-type': type })).status, 201, type)
  }
})

test('a body with a Content-Encoding is rejected, but the header is ignored if there is no body', async t => {
  const made = await world(t)
  for (const coding of ['gzip', 'br', 'GZIP', 'identity, gzip', 'utf-8']) {
    const { status, json } = await issue(made, '{"name":"x"}', { 'content-encoding': coding })
    t.match({ status, json }, { status: 415, json: { detail: /^Content-Encoding is not supported/ } }, coding)
  }
  t.equal((await issue(made, '{"name":"x"}', { 'content-encoding': 'Identity' })).status, 201)
  const headers = { ...JSON_TYPE, 'content-encoding': 'gzip' }
  t.equal((await made.call('DELETE', '/apps/ba6811fb3e073d', '', headers)).status, 204)
})

test('a byte order mark before JSON is ignored', async t => {
  const made = await world(t)
  t.equal((await issue(made, '\ufeff{"name":"marked"}')).json.name, 'marked')
  t.equal((await issue(made, '\ufeff')).status, 400)
})

test('a lone surrogate is rejected in every field, and the error names the field', async t => {
  const made = await world(t)
  const ada = await signIn(made, 'ada')
  const app = '/apps/70e2d94bc6a18f'
  for (const [call, method, url, body, field] of [
    [made.call, 'POST', '/client_keys', '{"name":"a\\ud800"}', 'name'],
    [made.call, 'POST', '/client_keys', '{"name":"a","description":"\\udc00\\ud800"}', 'description'],
    [made.call, 'POST', '/client_keys', '{"name":"a","metadata":{"a":["\\ud800b"]}}', 'metadata'],
    [made.call, 'POST', '/client_keys', '{"name":"a","metadata":{"\\ud800":1}}', 'metadata'],
    [made.call, 'PATCH', app, '{"panels":{"a":"\\udfff"}}', 'panels'],
    [made.call, 'POST', `${app}/tags`, '{"context":"a","name":"\\ud800"}', 'name'],
    [ada, 'PUT', '/profile', '{"color_theme":"\\ud800"}', 'color_theme'],
    [made.call, 'POST', '/auth/sign_in', '{"email":"\\ud800","password":"\\ud800"}', 'email']
  ] as const) {
    const { status, json } = await call(method, url, body, JSON_TYPE)
    t.equal(status, 422, `${method} ${url} ${field}`)
    t.match(json, { errors: [`${field} must not contain an unpaired surrogate, from \\ud800 to \\udfff`] })
  }
  t.equal((await made.call('GET', `/apps?tagged_with=${encodeURIComponent('[{"a":"\\ud800"}]')}`)).status, 422)
  t.equal((await made.call('GET', `/apps?tagged_with=${encodeURIComponent('[{"\\ud800":"a"}]')}`)).status, 422)
})

test('percent-encoding of invalid UTF-8 is rejected in the path and in the query', async t => {
  const { call } = await world(t)
  for (const url of [
    '/client_keys?name=caf%e9',
    '/client_keys?name=%zz',
    '/client_keys?name=100%',
    '/client_keys?caf%e9=1',
    '/client_keys?name=%ed%a0%80',
    '/client_keys?name=%c0%af',
    '/client_keys/caf%e9',
    '/docs/static/caf%e9',
    '/nope?%ff'
  ]) {
    t.match(await call('GET', url), { status: 400, json: { code: 'BAD_URL', detail: /UTF-8/ } }, url)
  }
  t.equal((await call('GET', '/client_keys?name=caf%c3%a9%20%25')).status, 200)
})

test('a User-Agent is stored if it is UTF-8, and rejected if it has another encoding', async t => {
  const made = await world(t)
  const port = await listening(made.fastify)
  const get = async (agent: Buffer): Promise<string> =>
    await raw(
      port,
      Buffer.concat([
        Buffer.from(`GET /client_keys/me HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nUser-Agent: `),
        agent,
        Buffer.from(`\r\nAuthorization: Bearer ${made.key.keyAccessToken}\r\n\r\n`)
      ])
    )
  const reply = await get(Buffer.from('café/1.0', 'latin1'))
  t.match(reply, /^HTTP\/1\.1 400 /)
  t.match(reply, 'The User-Agent header contains bytes that are not UTF-8')
  t.match(await get(Buffer.from(`café/1.0 ${'𝕏'.repeat(300)}`)), /^HTTP\/1\.1 200 /)
  await made.fastify.keyUsage.flush()
  const { id } = (await made.call('GET', '/client_keys/me')).json as { id: string }
  t.equal(at(await made.fastify.clientKeys.tokens(id)).lastUsedAgent, `café/1.0 ${'𝕏'.repeat(191)}`)
})

test('an Idempotency-Key that is not ASCII is rejected', async t => {
  const made = await world(t)
  const { status, json } = await issue(made, '{"name":"x"}', { 'idempotency-key': 'caf\u00e9' })
  t.match(
    { status, json },
    { status: 422, json: { errors: ['Idempotency-Key must have 1 to 255 visible ASCII characters'] } }
  )
})
