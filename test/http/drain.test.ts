import { once } from 'node:events'
import { connect, createServer as createNetServer, Socket } from 'node:net'
import type { AddressInfo } from 'node:net'
import { mock } from 'node:test'
import { test } from 'tap'
import type { Test } from 'tap'
import { createServer } from '../../app.ts'
import { listen } from '../../http/listen.ts'
import { settings } from '../helper.ts'

const DRAIN_DELAY_MS = 1000

interface Client {
  socket: Socket
  /** Sends `GET /up` immediately, and returns the response. */
  call: () => Promise<string>
  /** Resolves when the connection has ended, with the data received since the last response. */
  ended: Promise<string>
}

const connected = async (port: number): Promise<Client> => {
  const socket = connect(port, '127.0.0.1').setEncoding('utf8')
  await once(socket, 'connect')
  let text = ''
  socket.on('data', chunk => {
    text += String(chunk)
  })
  return {
    socket,
    call: async () => {
      socket.write('GET /up HTTP/1.1\r\nHost: localhost\r\n\r\n')
      while (!text.endsWith('{"status":"ok"}')) await once(socket, 'data')
      const reply = text
      text = ''
      return reply
    },
    ended: once(socket, 'close').then(() => text)
  }
}

const turn = async (): Promise<void> => {
  await new Promise(resolve => {
    setImmediate(resolve)
  })
}

const KEPT = /^HTTP\/1\.1 200 .*\r\nConnection: keep-alive\r\n/s
const LAST = /^HTTP\/1\.1 200 .*\r\nConnection: close\r\n/is

/**
 * Creates a service, and clients that have each received a response. `stop` starts to stop the service, with mocked
 * timers.
 */
const serving = async (t: Test, count: number) => {
  const fastify = await createServer(settings(t, { PORT: '0' }).env)
  t.teardown(() => fastify.close())
  const port = await listen(fastify)
  const clients = await Promise.all(Array.from({ length: count }, () => connected(port)))
  for (const { call } of clients) t.match(await call(), KEPT)
  const stop = async (): Promise<{ closed: Promise<void> }> => {
    mock.timers.enable({ apis: ['setTimeout'] })
    t.teardown(() => {
      mock.timers.reset()
    })
    const closed = fastify.close()
    // Several turns of the event loop pass between the call and the hook that sets this state.
    while (fastify.server.keepAliveTimeout !== DRAIN_DELAY_MS) await turn()
    return { closed }
  }
  return { fastify, port, clients, stop }
}

test('a connection may be idle for 60 seconds, whether during a request or between two requests', async t => {
  const { fastify, port } = await serving(t, 0)
  const connection = once(fastify.server, 'connection') as Promise<[Socket]>
  const client = await connected(port)
  const [socket] = await connection
  t.equal(socket.timeout, 60_000)
  t.match(await client.call(), /Keep-Alive: timeout=59\r\n/)
  t.equal(socket.timeout, 60_000)
  client.socket.destroy()
})

test('after shutdown starts, every idle connection gets one more response, which closes it', async t => {
  const { clients, stop } = await serving(t, 50)
  const { closed } = await stop()
  for (const { call, ended } of clients) {
    t.match(await call(), LAST)
    t.equal(await ended, '')
  }
  await closed
})

test('requests that arrive before the deadline get a response, even if the timer fires first', async t => {
  const { clients, stop } = await serving(t, 50)
  const { closed } = await stop()
  const replies = clients.map(async ({ call }) => await call())
  mock.timers.tick(DRAIN_DELAY_MS)
  for (const reply of replies) t.match(await reply, LAST)
  await closed
})

test('connections without a request are closed at the deadline, whether or not they were used', async t => {
  const { port, clients, stop } = await serving(t, 3)
  clients.push(await connected(port))
  const { closed } = await stop()
  mock.timers.tick(DRAIN_DELAY_MS)
  await closed
  for (const { ended } of clients) t.equal(await ended, '')
})

const HALF = `POST /nowhere HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 12\r\n\r\n{"a"`
const RUNNING = HALF.replace('/nowhere', '/auth/sign_in')

test('at the deadline, only connections with a request in progress stay open, until they get their response', async t => {
  const { port, stop } = await serving(t, 0)
  const idle: Client[] = []
  for (const text of ['GET /up HTTP/1.1\r\nHo', HALF]) {
    const client = await connected(port)
    client.socket.write(text)
    idle.push(client)
  }
  // The service has ended its side of the connection, but the client never ends its own.
  const halfClosed = connect({ port, host: '127.0.0.1', allowHalfOpen: true }).resume()
  halfClosed.write('NONSENSE\r\n\r\n')
  await once(halfClosed, 'end')
  const running = await connected(port)
  running.socket.write(RUNNING)
  // The response shows that the earlier data on the other connections has been read.
  await (await connected(port)).call()
  const { closed } = await stop()
  mock.timers.tick(DRAIN_DELAY_MS)
  for (const { ended } of idle) await ended
  running.socket.write(':"12345}')
  t.match(await running.ended, /^HTTP\/1\.1 400 .*\r\nConnection: close\r\n/is)
  await closed
  halfClosed.destroy()
})

test('a connection that is accepted at the deadline gets as much time as the others', async t => {
  const { fastify, port, stop } = await serving(t, 0)
  const running = await connected(port)
  running.socket.write(RUNNING)
  await (await connected(port)).call()
  const { closed } = await stop()
  mock.timers.tick(DRAIN_DELAY_MS)
  while (fastify.server.listening) await turn()
  // Simulates a connection that was accepted just before the service stopped listening.
  const gate = createNetServer(socket => fastify.server.emit('connection', socket)).listen(0, '127.0.0.1')
  await once(gate, 'listening')
  const late = await connected((gate.address() as AddressInfo).port)
  t.match(await late.call(), LAST)
  const accepted = once(gate, 'connection')
  const silent = await connected((gate.address() as AddressInfo).port)
  await accepted
  mock.timers.tick(DRAIN_DELAY_MS)
  t.equal(await silent.ended, '')
  gate.close()
  running.socket.end()
  await closed
})

test('a connection without a known address is closed', async t => {
  const { fastify } = await serving(t, 0)
  const reset = new Socket()
  fastify.server.emit('connection', reset)
  t.ok(reset.destroyed)
})

test('an unexpected error at startup is rethrown unchanged', async t => {
  const fastify = await createServer(settings(t, { PORT: '0' }).env)
  const error = new Error('out of the blue')
  t.intercept(fastify.server, 'listen', {
    value: () => {
      throw error
    }
  })
  t.equal(await listen(fastify).catch((thrown: unknown) => thrown), error)
})

test('a service without connections stops immediately', async t => {
  const { fastify, stop } = await serving(t, 0)
  const { closed } = await stop()
  await closed
  t.notOk(fastify.server.listening)
})
