import { createHmac } from 'node:crypto'
import { once } from 'node:events'
import { connect, createServer as createNetServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { hostname } from 'node:os'
import { test } from 'tap'
import { raw, run, settings } from '../helper.ts'
import { describeStart } from '../../http/listen.ts'
import { VERSION } from '../../version.ts'
import { hasIpv6, logLines, refuses, start } from './service.ts'

test('by default, the service listens only on 127.0.0.1, which clients can reach as localhost', async t => {
  const { port, headers } = await start(t)
  for (const host of ['127.0.0.1', 'localhost']) {
    t.equal((await fetch(`http://${host}:${port}/apps`, { headers })).status, 200, host)
  }
  t.ok(await refuses(port, '::1'))
  t.match(await raw(port, 'nonsense\r\n\r\n'), 'BAD_REQUEST')
})

test('HOST can be localhost, and is resolved by this machine', async t => {
  const { port, headers } = await start(t, { HOST: 'localhost' })
  t.equal((await fetch(`http://localhost:${port}/apps`, { headers })).status, 200)
})

test('if localhost has two addresses, a single server listens on the first', async t => {
  // Simulates a machine with both addresses. Fastify would open a server for each of them.
  const twoAddresses = `
    import dns from 'node:dns'
    import { syncBuiltinESMExports } from 'node:module'
    const { lookup } = dns
    const both = [{ address: '127.0.0.1', family: 4 }, { address: '127.0.0.2', family: 4 }]
    dns.lookup = (host, options, done) =>
      host === 'localhost' && options.all ? done(null, both) : lookup(host, options, done)
    syncBuiltinESMExports()`
  const service = await start(t, {
    HOST: 'localhost',
    NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(twoAddresses)}`
  })
  service.process.kill('SIGTERM')
  const { code, stdout } = await service.ended
  t.equal(code, 0)
  t.equal(stdout.match(/Server listening/g)?.length, 1)
})

test('an unavailable port or host prevents startup with a clear message', async t => {
  for (const host of ['127.0.0.1', ...(hasIpv6 ? ['::1'] : [])]) {
    const other = createNetServer().listen(0, host)
    await once(other, 'listening')
    const { port } = other.address() as AddressInfo
    const { code, stderr } = await run(t, 'server.ts', { env: settings(t, { HOST: host, PORT: String(port) }).env })
      .ended
    other.close()
    t.equal(code, 1)
    t.equal(
      stderr,
      `PORT (set in the environment): port ${port} of ${host} is in use. Stop the process that uses it, or set another port.\n`
    )
  }
  for (const host of ['fe80::1', '192.0.2.1', 'no.such.host.invalid']) {
    const { code, stderr } = await run(t, 'server.ts', { env: settings(t, { HOST: host, PORT: '0' }).env }).ended
    t.equal(code, 1)
    t.equal(
      stderr,
      `HOST (set in the environment): ${host} is not an address of this machine. Set HOST to one that is.\n`
    )
  }
})

test('the first line of the log contains the version, the engine, the node and whether Redis is used', async t => {
  const { output } = await start(t, { NODE_NAME: 'api-1', REDIS_URL: 'redis://:hunter2@127.0.0.1:1/0' })
  const line = logLines(output().stdout).find(({ msg }) => String(msg).includes('Server listening'))
  const about = `Trivial API ${VERSION}, Node.js ${process.version.slice(1)}, SQLite, node api-1, Redis at 127.0.0.1:1`
  t.match(line, { msg: `${about}. Server listening at http://127.0.0.1:` })
  t.equal(
    describeStart({ DATABASE_URL: 'postgres://ada:hunter2@db.example.com/trivial', NODE_NAME: '', REDIS_URL: '' }),
    `Trivial API ${VERSION}, Node.js ${process.version.slice(1)}, PostgreSQL, node ${hostname()}, no Redis`
  )
  const settings = { DATABASE_URL: 'file:./x.db', NODE_NAME: 'api-1', REDIS_URL: 'redis://:hunter2@127.0.0.1:1/0' }
  t.equal(describeStart(settings), about)
})

test('an unexpected error prevents startup and is printed unchanged', async t => {
  const fail =
    "import { Server } from 'node:net'; Server.prototype.listen = () => { throw new Error('out of the blue') }"
  const { code, stderr } = await run(t, 'server.ts', {
    env: { ...settings(t).env, NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(fail)}` }
  }).ended
  t.equal(code, 1)
  t.match(stderr, /Error: out of the blue\n +at /)
})

test("with CLIENT_KEY_JWT, the compiled service accepts Trivial's own tokens", async t => {
  const { port, secret } = await start(t, { CLIENT_KEYS: 'another-key', CLIENT_KEY_JWT: 'true' })
  const body = [{ alg: 'HS256' }, { key_id: 'another-key' }]
    .map(part => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.')
  const token = `${body}.${createHmac('sha256', secret).update(body).digest('base64url')}`
  t.equal((await fetch(`http://127.0.0.1:${port}/apps`, { headers: { authorization: `Bearer ${token}` } })).status, 200)
})

test('connections that are reset immediately do no harm and are not logged as failures', async t => {
  const service = await start(t)
  const base = `http://127.0.0.1:${service.port}`
  const issue = async (more: object) => {
    const response = await fetch(`${base}/client_keys`, {
      method: 'POST',
      headers: { ...service.headers, 'content-type': 'application/json' },
      body: JSON.stringify({ name: `k${Math.random()}`, ...more })
    })
    return String((JSON.parse(await response.text()) as Record<string, unknown>)['key_access_token'])
  }
  const tokens = [
    await issue({ rate_limit: { max: 5, window_seconds: 60 } }),
    await issue({ allowed_ips: ['127.0.0.0/8'] }),
    service.key.keyAccessToken
  ]
  const reset = async (text: string): Promise<void> => {
    const socket = connect(service.port, '127.0.0.1')
    socket.on('error', () => {})
    await once(socket, 'connect')
    socket.write(text)
    await new Promise(resolve => {
      setImmediate(resolve)
    })
    socket.resetAndDestroy()
  }
  const body = '{"email":"ada@example.com","password":"seven green kettles"}'
  for (let i = 0; i < 20; i++) {
    for (const token of tokens) {
      await reset(`GET /apps HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\n\r\n`)
    }
    await reset(
      `POST /auth/sign_in HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`
    )
  }
  t.equal((await fetch(`${base}/up`)).status, 200)
  service.process.kill('SIGTERM')
  const { code, stdout } = await service.ended
  t.equal(code, 0)
  t.notMatch(stdout, /request failed/)
})
