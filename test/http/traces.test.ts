import { once } from 'node:events'
import { createServer } from 'node:http'
import type { RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'tap'
import type { Test } from 'tap'
import { listening, required, SAMPLE_PASSWORD, world } from '../helper.ts'

interface Receiver {
  endpoint: string
  /** Returns the bodies of all requests that were received. */
  received: () => Buffer
  /** Resolves when another request has been read. */
  next: () => Promise<unknown>
}

/** Creates an OTLP receiver over HTTP on a separate port. */
const receiver = async (t: Test, respond: RequestListener): Promise<Receiver> => {
  const bodies: Buffer[] = []
  const server = createServer((request, response) => {
    request.on('data', (chunk: Buffer) => bodies.push(chunk))
    request.on('end', () => {
      t.equal(`${request.method} ${request.url}`, 'POST /v1/traces')
      respond(request, response)
      server.emit('read')
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received: () => Buffer.concat(bodies),
    next: async () => await once(server, 'read')
  }
}

const accept: RequestListener = (_request, response) => response.end()

const TRACE = '0af7651916cd43dd8448eb211c80319c'
const PARENT = 'b7ad6b7169203331'

test("a request creates a span in the requester's trace, named after the method and the route", async t => {
  const { endpoint, received } = await receiver(t, accept)
  const { call, fastify, key } = await world(t, { OTEL_EXPORTER_OTLP_ENDPOINT: `${endpoint}/` })
  const port = await listening(fastify)
  const response = await fetch(`http://127.0.0.1:${port}/apps?limit=1`, {
    headers: { authorization: `Bearer ${key.keyAccessToken}`, traceparent: `00-${TRACE}-${PARENT}-01` }
  })
  t.equal(response.status, 200)
  await response.text()
  await call('GET', '/no/such/path')
  await fastify.close()
  const spans = received()
  for (const part of [Buffer.from(TRACE, 'hex'), Buffer.from(PARENT, 'hex')]) t.ok(spans.includes(part))
  for (const text of ['GET /apps', 'http.request.method', 'http.response.status_code', 'service.name', 'trivial-api']) {
    t.ok(spans.includes(text), text)
  }
})

test('no span is created in a trace that the requester does not sample', async t => {
  const { endpoint, received } = await receiver(t, accept)
  const { call, fastify } = await world(t, { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint })
  await call('GET', '/apps', undefined, { traceparent: `00-${TRACE}-${PARENT}-00` })
  await fastify.close()
  t.equal(received().length, 0)
})

test('exported spans contain no credential from any part of a request', async t => {
  const { endpoint, received } = await receiver(t, accept)
  const { call, fastify, key } = await world(t, {
    OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
    OTEL_SERVICE_NAME: 'trivial-tested'
  })
  const { json: issued } = await call('POST', '/client_keys', { name: 'warehouse-key' })
  const { headers } = await fastify.inject({
    method: 'POST',
    url: '/auth/sign_in',
    payload: { email: 'ada@example.com', password: SAMPLE_PASSWORD }
  })
  const session = String(headers['authorization'])
  t.equal((await call('GET', '/profile', undefined, { authorization: session })).status, 200)
  const secret = 'correct-horse'
  await call('GET', `/apps?key_access_token=${issued.key_access_token}&password=${secret}`)
  await fastify.inject({ url: '/profile', headers: { 'access-token': secret, client: secret, uid: secret } })
  await call('GET', `/no/${secret}/${issued.key_id}`)
  await call('POST', '/client_keys', `{"name": "${secret}`, { 'content-type': 'application/json', cookie: secret })
  await call('POST', '/client_keys', { name: 'warehouse-key', [secret]: secret })
  await call('GET', '/apps', undefined, { authorization: `Bearer ${secret}`, baggage: `token=${secret}` })
  const causes = [new Error(`the database at postgres://user:${secret}@host`)]
  t.intercept(fastify.storage, 'readiness', {
    value: async () => ({ keys: false, changes: false, failing: ['primary'], causes })
  })
  t.equal((await call('GET', '/ready')).status, 503)
  await fastify.close()
  const sent = received()
  t.ok(sent.includes('POST /client_keys'))
  t.ok(sent.includes('trivial-tested'))
  for (const text of [
    secret,
    key.keyId,
    key.keyAccessToken,
    issued.key_id,
    issued.key_access_token,
    issued.id,
    'warehouse-key',
    SAMPLE_PASSWORD,
    session.slice('Bearer '.length),
    'ada@example.com'
  ]) {
    t.notOk(sent.includes(text), text)
  }
})

test('spans that the receiver rejects are reported in the log, and the service continues to run', async t => {
  const { endpoint } = await receiver(t, (_request, response) => response.writeHead(400).end())
  const { call, fastify } = await world(t, { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint })
  const logged: unknown[][] = []
  t.intercept(fastify.log, 'warn', { value: (...line: unknown[]) => logged.push(line) })
  t.equal((await call('GET', '/up')).status, 200)
  await fastify.close()
  t.match(logged, [[{ err: {} }, /^traces could not be sent/]])
})

test('a receiver that does not respond does not delay shutdown', async t => {
  const { endpoint, next } = await receiver(t, () => {})
  const { call, fastify } = await world(t, { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint })
  await call('GET', '/up')
  const read = next()
  const closed = fastify.close()
  await read
  await closed
  t.ok(required(fastify.config, 'the configuration'))
})

test('without an endpoint, nothing is traced', async t => {
  const { fastify } = await world(t)
  t.notOk(fastify.hasRequestDecorator('opentelemetry'))
})
