import { once } from 'node:events'
import { connect, createServer as createNetServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { test } from 'tap'
import type { Test } from 'tap'
import { createServer } from '../../app.ts'
import { createTokenCache } from '../../domain/keys/verdict/authenticator.ts'
import { createMetrics } from '../../http/metrics/metrics.ts'
import { listenForMetrics } from '../../http/metrics/listen.ts'
import { listening, raw, settings, world } from '../helper.ts'
import type { World } from '../helper.ts'
import { refuses, start } from './service.ts'

interface Measured extends World {
  port: number
  metricsPort: number
  scrape: () => Promise<string>
}

const scrapeAt = async (port: number): Promise<string> => await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()

/** Creates a service that listens, and a listener for its metrics. */
const measured = async (t: Test): Promise<Measured> => {
  const made = await world(t, { METRICS_PORT: '0' })
  const metricsPort = Number(await listenForMetrics(made.fastify))
  const port = await listening(made.fastify)
  return { ...made, port, metricsPort, scrape: async () => await scrapeAt(metricsPort) }
}

/** Returns the samples in the metrics, by name and labels. */
const samplesIn = (text: string): Record<string, number> =>
  Object.fromEntries(
    text
      .split('\n')
      .filter(line => line !== '' && !line.startsWith('#'))
      .map(line => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))])
  )

test('without METRICS_PORT, nothing is counted and nothing listens', async t => {
  const { fastify } = await world(t)
  t.equal(fastify.metrics, null)
  t.equal(await listenForMetrics(fastify), null)
})

test('METRICS_PORT=0 selects a free port, which is logged and closed with the service', async t => {
  const service = await start(t, { METRICS_PORT: '0' })
  const [, url = '', port] =
    /Metrics are served at (http:\/\/127\.0\.0\.1:(\d+)\/metrics)/.exec(service.output().stdout) ?? []
  const response = await fetch(url)
  t.equal(response.status, 200)
  t.equal(response.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8')
  t.match(await response.text(), /^trivial_epoch \d+$/m)
  t.equal((await fetch(url.replace('/metrics', '/apps'))).status, 404, 'there is no other route')
  t.equal((await fetch(`http://127.0.0.1:${service.port}/metrics`)).status, 404, 'the metrics are not part of the API')
  const silent = connect(Number(port), '127.0.0.1')
  await once(silent, 'connect')
  silent.write('GET /metr')
  service.process.kill('SIGTERM')
  t.equal((await service.ended).code, 0, 'an open connection does not delay shutdown')
  t.ok(await refuses(Number(port), '127.0.0.1'))
})

test('an unavailable port or host for metrics prevents startup with a clear message', async t => {
  const other = createNetServer().listen(0, '127.0.0.1')
  await once(other, 'listening')
  const { port } = other.address() as AddressInfo
  t.teardown(() => other.close())
  for (const [env, message] of [
    [
      { METRICS_PORT: String(port) },
      `METRICS_PORT: port ${port} of 127.0.0.1 is in use. Stop the process that uses it, or set another port.`
    ],
    [
      { METRICS_PORT: '0', METRICS_HOST: '192.0.2.1' },
      'METRICS_HOST: 192.0.2.1 is not an address of this machine. Set METRICS_HOST to one that is.'
    ]
  ] as const) {
    const fastify = await createServer(settings(t, env).env)
    await t.rejects(listenForMetrics(fastify), { name: 'ConfigError', message })
  }
})

test('requests with any path and method are counted by method, route and status', async t => {
  const { call, port, metricsPort, scrape } = await measured(t)
  const { json: apps } = await call('GET', '/apps')
  await call('GET', `/apps/${apps[0].name}`)
  await call('GET', `/apps/${apps[1].name}`)
  await call('HEAD', '/up')
  await call('GET', '/apps', undefined, { authorization: 'Bearer x' })
  for (const path of ['/a', '/b?c=d', '/%zz']) await fetch(`http://127.0.0.1:${port}${path}`)
  for (const method of ['PROPFIND', 'PURGE', 'BREW']) {
    await raw(port, `${method} /x HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`)
  }
  const text = await scrape()
  const samples = samplesIn(text)
  t.match(samples, {
    'trivial_http_requests_total{method="GET",route="/apps",status="200"}': 1,
    'trivial_http_requests_total{method="GET",route="/apps",status="401"}': 1,
    'trivial_http_requests_total{method="GET",route="/apps/:name",status="200"}': 2,
    'trivial_http_requests_total{method="HEAD",route="/up",status="200"}': 1,
    'trivial_http_requests_total{method="GET",route="unknown",status="404"}': 2,
    'trivial_http_requests_total{method="GET",route="unknown",status="400"}': 1,
    'trivial_http_requests_total{method="other",route="unknown",status="404"}': 2,
    'trivial_http_request_duration_seconds_count{method="GET",route="/apps/:name"}': 2,
    'trivial_http_request_duration_seconds_bucket{le="+Inf",method="GET",route="/apps/:name"}': 2
  })
  t.ok(Number(samples['trivial_http_request_duration_seconds_sum{method="GET",route="/apps/:name"}']) > 0)
  t.notMatch(text, apps[0].name)
  t.match(await scrapeAt(metricsPort), /route="\/apps"/, 'a second scrape returns the same samples')
})

test('refusals are counted by reason, and no label identifies a key or a client', async t => {
  const { call, fastify, scrape } = await measured(t)
  const { json: key } = await call('POST', '/client_keys', { name: 'narrow', scopes: ['apps:read'] })
  const authorization = `Bearer ${key.key_access_token}`
  await call('GET', '/users', undefined, { authorization })
  await call('GET', '/apps', undefined, { authorization: 'Bearer nonsense' })
  await call('GET', '/apps', undefined, { authorization, origin: 'https://elsewhere.example' })
  await fastify.inject({ url: '/apps', headers: { 'access-token': 'a', client: 'b', uid: 'c@d.e' } })
  const text = await scrape()
  t.match(samplesIn(text), {
    'trivial_refusals_total{reason="insufficient_scope"}': 1,
    'trivial_refusals_total{reason="malformed"}': 1,
    'trivial_refusals_total{reason="cross_site"}': 1,
    'trivial_refusals_total{reason="no_session"}': 1
  })
  for (const secret of [key.id, key.key_id, key.key_access_token, 'narrow', '127.0.0.1', 'c@d.e', 'elsewhere']) {
    t.notMatch(text, secret)
  }
  await fastify.close()
})

test('metrics include the token cache, the epoch and the pending usage', async t => {
  const { call, fastify, scrape } = await measured(t)
  const before = samplesIn(await scrape())
  const { json: key } = await call('POST', '/client_keys', { name: 'one' })
  const authorization = `Bearer ${key.key_access_token}`
  for (let i = 0; i < 3; i++) await call('GET', '/apps?limit=1', undefined, { authorization })
  const after = samplesIn(await scrape())
  const growth = (name: string): number => Number(after[name]) - Number(before[name])
  t.equal(growth('trivial_epoch'), 1)
  t.equal(growth('trivial_token_cache_misses_total'), 2)
  t.equal(growth('trivial_token_cache_hits_total'), 3, 'the key is looked up again after the body was read')
  t.equal(after['trivial_token_cache_size'], 2)
  t.ok(Number(after['trivial_usage_pending']) > 0)
  await fastify.keyUsage.flush()
  t.equal(samplesIn(await scrape())['trivial_usage_pending'], 0)
  t.notOk('trivial_lease_remaining_seconds' in after, 'on SQLite, no lease limits the cache of a process')
})

test('metrics include the lease, the pool and the time spent waiting for receipts', async t => {
  const metrics = createMetrics({
    tokenCache: createTokenCache(),
    keyUsage: { pending: () => 0 },
    expiryCounts: { latest: () => [{ days: 7, keys: 2 }] },
    storage: {
      statistics: () => ({ epoch: 7, leaseRemainingMs: 1500, pool: { total: 10, idle: 4, waiting: 1 } })
    }
  })
  metrics.observeReceipt(14)
  metrics.observeReceipt(69)
  t.match(samplesIn((await metrics.render()).text), {
    trivial_epoch: 7,
    trivial_lease_remaining_seconds: 1.5,
    'trivial_pool_connections{state="total"}': 10,
    'trivial_pool_connections{state="idle"}': 4,
    'trivial_pool_connections{state="waiting"}': 1,
    'trivial_receipt_wait_seconds_bucket{le="0.025"}': 1,
    trivial_receipt_wait_seconds_count: 2,
    'trivial_keys_expiring{within_days="7"}': 2
  })
})

test('two servers in one process count separately, and each reports the process metrics', async t => {
  const [one, two] = [await measured(t), await measured(t)]
  await one.call('GET', '/up')
  const samples = samplesIn(await two.scrape())
  t.notOk('trivial_http_requests_total{method="GET",route="/up",status="200"}' in samples)
  for (const name of [
    'process_cpu_seconds_total',
    'nodejs_eventloop_lag_seconds',
    'nodejs_eventloop_lag_p99_seconds',
    'nodejs_heap_size_used_bytes'
  ]) {
    t.type(samples[name], 'number', name)
  }
  t.match(await two.scrape(), /^# TYPE nodejs_gc_duration_seconds histogram$/m)
})
