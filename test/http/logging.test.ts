import { Writable } from 'node:stream'
import Fastify from 'fastify'
import { test } from 'tap'
import type { Principal } from '../../domain/access/principal.ts'
import { loggingOptions } from '../../http/logging.ts'
import { redact, redactPath } from '../../net/redaction.ts'
import { at, knownToken, raw, world } from '../helper.ts'
import { logLines, start } from './service.ts'

test('each refusal is logged once with its reason, and the log contains no credentials', async t => {
  const service = await start(t, { LOG_LEVEL: 'trace', CLIENT_KEYS: '' })
  const { key, secret, port } = service
  const { keyAccessToken: token, keyId } = key
  const base = `http://127.0.0.1:${port}`
  const requests: [reason: string, url: string, headers: Record<string, string>][] = [
    ['no_credential', '/apps', {}],
    ['malformed_header', '/apps', { authorization: `Basic ${token}` }],
    ['malformed', '/apps', { authorization: `Bearer ${token} x` }],
    ['not_allowed', `/apps?access_token=${token}`, { authorization: `Bearer ${token}` }],
    ['malformed', `/apps/${token}`, { authorization: `Bearer ${keyId}` }],
    [
      'bad_checksum',
      `/apps/${keyId}`,
      { authorization: `Bearer ${token.slice(0, -1)}${token.endsWith('0') ? '1' : '0'}` }
    ]
  ]
  for (const [, url, headers] of requests) t.ok((await fetch(base + url, { headers })).status >= 400)
  for (const url of [
    `/${token}`,
    `/${token.replaceAll('t', '%74')}`,
    `/x/${keyId}`,
    `/${encodeURIComponent(secret)}`,
    `/?${secret}`
  ]) {
    await fetch(base + url)
  }
  await fetch(base, { method: 'POST', headers: { 'content-type': 'application/json' }, body: token })
  await raw(port, `nonsense ${token}\r\n\r\n`)
  service.process.kill('SIGTERM')
  const { stdout, stderr } = await service.ended

  const refusals = logLines(stdout).filter(line => 'reason' in line)
  t.same(
    refusals.map(line => line['reason']),
    requests.map(([reason]) => reason)
  )
  t.match(refusals[0], {
    level: 30,
    reqId: /^[\w-]{8}-[0-9a-z]+$/,
    method: 'GET',
    route: '/apps',
    address: '127.0.0.1'
  })
  t.match(refusals[4], { route: '/apps/:name' })
  for (const credential of [token, keyId, secret, token.replaceAll('t', '%74')]) t.notMatch(stdout + stderr, credential)
})

test('a completed request is logged as one line, which contains the key', async t => {
  const service = await start(t)
  await (await fetch(`http://127.0.0.1:${service.port}/apps?limit=1`, { headers: service.headers })).text()
  service.process.kill('SIGTERM')
  const lines = logLines((await service.ended).stdout).filter(line => 'route' in line)
  t.equal(lines.length, 1)
  t.match(lines[0], {
    method: 'GET',
    route: '/apps',
    status: 200,
    milliseconds: Number,
    address: '127.0.0.1',
    key: /^env_[0-9a-f]{16}$/,
    msg: 'request completed'
  })
})

test("the log line of a user's request contains the user", async t => {
  const service = await start(t)
  const base = `http://127.0.0.1:${service.port}`
  const body = JSON.stringify({ name: 'Eve', email: 'eve@example.com', password: 'seven green kettles' })
  const up = await fetch(`${base}/auth`, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
  const authorization = String(up.headers.get('authorization'))
  const session = String(up.headers.get('access-token'))
  t.equal((await fetch(`${base}/profile`, { headers: { authorization } })).status, 200)
  for (const misused of [
    `/nowhere/${session}`,
    `/profile/sessions/${session}`,
    `/nowhere;access-token=${session}`,
    `/${'p/'.repeat(80)}${session}`
  ]) {
    await fetch(base + misused, { headers: { authorization } })
  }
  service.process.kill('SIGTERM')
  const { stdout } = await service.ended
  t.match(
    logLines(stdout).find(line => line['route'] === '/profile'),
    { user: 1, status: 200 }
  )
  for (const secret of ['seven green kettles', authorization.slice('Bearer '.length), session, session.slice(0, 20)]) {
    t.notMatch(stdout, secret)
  }
})

test('allow-list entries that no token can match are counted in a warning', async t => {
  const service = await start(t, { CLIENT_KEYS: 'xxx, another-key' })
  t.match(service.output().stdout, '"entries":2')
})

test("a log that can't be written does not stop the service", async t => {
  const service = await start(t)
  service.process.stdout.destroy()
  for (let i = 0; i < 20; i++) t.equal((await fetch(`http://127.0.0.1:${service.port}/up`)).status, 200)
})

test('values with the names of credentials are redacted in any form', async t => {
  let written = ''
  const stream = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      written += chunk.toString()
      done()
    }
  })
  const { log } = Fastify(loggingOptions(stream))
  const secret = 'a short one'
  log.info(
    { key_id: secret, headers: { authorization: secret, 'access-token': secret }, body: { password: secret } },
    'x'
  )
  log.info({ req: { headers: { authorization: secret } }, text: `Bearer ${'0123456789abcdef'.repeat(2)}` }, 'y')
  t.match(logLines(written), [
    {
      key_id: '[redacted]',
      headers: { authorization: '[redacted]', 'access-token': '[redacted]' },
      body: { password: '[redacted]' }
    },
    { text: 'Bearer [redacted]' }
  ])
  t.notMatch(written, secret)
})

test('each completed request is logged as one line with its principal, and errors of the log stream are ignored', async t => {
  let written = ''
  const stream = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      written += chunk.toString()
      done()
    }
  })
  const made = await world(t)
  const { user } = at([(await made.fastify.users.findAccount('ada@example.com')) ?? []].flat())
  const fastify = Fastify({ ...loggingOptions(stream), exposeHeadRoutes: false })
  t.teardown(() => fastify.close())
  fastify.decorateRequest('principal', null)
  fastify.get('/user', request => {
    request.principal = { kind: 'user', user, session: { id: 'x' } } as Principal
    return {}
  })
  fastify.get('/key', request => {
    const token = knownToken()
    request.principal = { kind: 'client_key', key: token.key, token, rate: null }
    return {}
  })
  fastify.get('/nobody', () => ({}))
  await fastify.inject('/user')
  await fastify.inject('/nobody?x=1')
  await fastify.inject('/key')
  await fastify.inject('/nowhere/a%2Fb?x=1')
  const lines = logLines(written).filter(({ msg }) => msg === 'request completed')
  t.match(lines, [
    { method: 'GET', route: '/user', status: 200, user: user.id, address: '127.0.0.1' },
    { route: '/nobody', status: 200 },
    { route: '/key', status: 200, key: 'managed' },
    { path: '/nowhere/[redacted]', status: 404 }
  ])
  t.equal(lines.length, 4)
  t.notOk('user' in at(lines, 1) || 'key' in at(lines, 1))
  t.ok(stream.emit('error', new Error('the disk is full')), 'there is a listener')
  loggingOptions(stream)
  t.equal(stream.listenerCount('error'), 1, 'all servers in a process share one listener')
})

test('redaction is fast even for maliciously crafted paths', async t => {
  t.equal(redact(`a ${'eyJ-'.repeat(50_000)}`), 'a [redacted]')
  t.equal(redact('eyJ-a '.repeat(50_000)).length, 300_000)
  t.equal(redactPath(`/${'x/'.repeat(5000)}?y`).length, 200)
  for (const line of [
    '"eyJhbGciOiJIUzI1NiJ9.eyJr.x-y"',
    '"a\\neyJhbGciOiJIUzI1NiJ9.eyJr.x-y"',
    'Bearer eyJhbGciOiJIUzI1NiJ9.eyJr.'
  ]) {
    t.match(redact(line), /\[redacted\]"?$/)
  }
})
