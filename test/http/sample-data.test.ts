import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import { test } from 'tap'
import type { Test } from 'tap'
import { createServer } from '../../app.ts'
import { openStorage } from '../../db/open.ts'
import { listen } from '../../http/listen.ts'
import { newSecret, run, settings, temporaryFolder } from '../helper.ts'
import { hasIpv6, logLines, refuses, start } from './service.ts'

/** All databases are served with the same secret. */
const CLIENT_SECRET = newSecret()

/** Creates a database that is marked as sample data, and returns its URL. */
const createSampleDatabase = async (t: Test): Promise<string> => {
  const url = `file:${join(temporaryFolder(t), 'sample.db')}`
  await (await openStorage(url, { asSample: true })).close()
  return url
}

/** Tries to listen. Returns the warnings in the log, or the error message. */
const attempt = async (t: Test, env: Record<string, string>): Promise<string | unknown[]> => {
  const fastify = await createServer({ CLIENT_SECRET, CLIENT_KEYS: 'x', PORT: '0', ...env })
  const warnings: unknown[] = []
  t.intercept(fastify.log, 'warn', { value: (...line: unknown[]) => warnings.push(line) })
  try {
    await listen(fastify)
    return warnings
  } catch (error) {
    t.equal((error as Error).name, 'ConfigError')
    return (error as Error).message
  } finally {
    await fastify.close()
  }
}

const WARNING = 'the database is marked as sample data; do not use it in production'
const FIRST = 'is marked as sample data, which only this machine may access:'
const LAST =
  'Set DATABASE_URL to another database, or change these settings. Set ALLOW_SAMPLE_DATA=true to allow all access.'
const BEHIND_PROXY = 'TRUST_PROXY: a proxy is configured. Set it to false.'

const notLoopback = (host: string): string => `HOST: ${host} is not a loopback address. Set it to 127.0.0.1.`

const outside = Object.values(networkInterfaces())
  .flatMap((addresses = []) => addresses)
  .filter(({ internal, family }) => !internal && family === 'IPv4')
  .map(({ address }) => address)
  .slice(0, 1)

test('sample data is served only on loopback addresses, and not behind a proxy', async t => {
  const url = await createSampleDatabase(t)
  const ipv6 = hasIpv6 ? ['::'] : []
  for (const [env, ...reasons] of [
    ...['0.0.0.0', ...ipv6, ...outside].map(HOST => [{ HOST }, notLoopback(HOST)] as const),
    [{ TRUST_PROXY: '127.0.0.1' }, BEHIND_PROXY],
    [{ HOST: '0.0.0.0', TRUST_PROXY: '10.0.0.0/8' }, notLoopback('0.0.0.0'), BEHIND_PROXY]
  ] as const) {
    const wanted = [`DATABASE_URL: the database ${url} ${FIRST}`, ...reasons.map(reason => `  ${reason}`), LAST]
    t.equal(await attempt(t, { DATABASE_URL: url, LOG_LEVEL: 'silent', ...env }), wanted.join('\n'))
    const allowed = { DATABASE_URL: url, LOG_LEVEL: 'silent', ALLOW_SAMPLE_DATA: 'true', ...env }
    t.same(await attempt(t, allowed), [[{ database: url }, WARNING]])
  }
  for (const HOST of ['127.0.0.1', '127.0.0.2', 'localhost', ...(hasIpv6 ? ['::1'] : [])]) {
    t.same(await attempt(t, { DATABASE_URL: url, LOG_LEVEL: 'silent', HOST }), [[{ database: url }, WARNING]], HOST)
  }
})

test('an unmarked database can be used on any address without a warning', async t => {
  const { env } = settings(t, { HOST: '0.0.0.0', TRUST_PROXY: '10.0.0.1' })
  t.same(await attempt(t, env), [])
})

/** Returns the environment of a process in which a host name resolves to an address. */
const named = (name: string, address: string): Record<string, string> => {
  const preload = `
    import dns from 'node:dns/promises'
    import { syncBuiltinESMExports } from 'node:module'
    const { lookup } = dns
    dns.lookup = async (host, ...rest) =>
      host === '${name}' ? { address: '${address}', family: 4 } : await lookup(host, ...rest)
    syncBuiltinESMExports()`
  return { HOST: name, NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(preload)}` }
}

test('a host name counts as the address that it resolves to at startup', async t => {
  const url = await createSampleDatabase(t)
  const service = await start(t, { CLIENT_SECRET, DATABASE_URL: url, ...named('sample.internal', '127.0.0.9') })
  t.match(logLines(service.output().stdout), [{ level: 40, msg: WARNING, database: url }])
  service.process.kill('SIGTERM')
  t.equal((await service.ended).code, 0)
  const env = { ...settings(t).env, CLIENT_SECRET, DATABASE_URL: url, PORT: String(service.port), METRICS_PORT: '0' }
  const { code, stdout, stderr } = await run(t, 'server.ts', { env: { ...env, ...named('localhost', '0.0.0.0') } })
    .ended
  t.same([code, stdout], [1, ''])
  t.match(stderr, notLoopback('localhost').replace('HOST', 'HOST (set in the environment)'))
  t.ok(await refuses(service.port, '127.0.0.1'))
})
