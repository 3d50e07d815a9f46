import { once } from 'node:events'
import { Agent, get as httpGet } from 'node:http'
import type { IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { test } from 'tap'
import { Database } from '../../db/sqlite/driver.ts'
import { refuses, slowPost, start } from './service.ts'

const CLIENTS = 30

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  test(`on ${signal}, the service accepts no more connections, finishes pending requests, and exits with 0`, async t => {
    const service = await start(t)
    const agent = new Agent({ keepAlive: true })
    t.teardown(() => {
      agent.destroy()
    })
    const requests = [await slowPost(service, agent), await slowPost(service)]
    service.process.kill(signal)
    await service.prints('the service is stopping')
    while (!(await refuses(service.port, '127.0.0.1'))) {
      await fetch(`http://127.0.0.1:${service.port}/up`).catch(() => {})
    }
    for (const request of requests) {
      request.end('"x","owner_type":"User","owner_id":1}')
      const [response] = (await once(request, 'response')) as [IncomingMessage]
      t.equal(response.statusCode, 422, 'the request gets a response after the signal')
      response.resume()
    }
    const { code, stdout } = await service.ended
    t.equal(code, 0)
    t.notMatch(stdout, '"level":50')
    const db = new Database(service.env['DATABASE_URL'].slice('file:'.length))
    t.same(db.pragma('integrity_check'), [{ integrity_check: 'ok' }])
    db.close()
  })
}

test('clients with busy connections are notified before the connections close, and no requests are lost', async t => {
  const service = await start(t)
  let busy = 0
  const call = async (): Promise<void> => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    for (let replies = 0; ; replies++) {
      const [response] = (await once(
        httpGet({ host: '127.0.0.1', port: service.port, path: '/apps', headers: service.headers, agent }),
        'response'
      )) as [IncomingMessage]
      t.equal(response.statusCode, 200)
      response.resume()
      await once(response, 'end')
      if (response.headers.connection === 'close') break
      if (replies === 5 && ++busy === CLIENTS) service.process.kill('SIGTERM')
    }
    agent.destroy()
  }
  await Promise.all(Array.from({ length: CLIENTS }, call))
  t.equal((await service.ended).code, 0)
})

const NOW = '2026-01-05T09:00:00.000Z'

test('a list that is being sent is completed before the service stops', async t => {
  const service = await start(t)
  const db = new Database(service.env['DATABASE_URL'].slice('file:'.length))
  db.exec(`insert into users (name, email, created_at, updated_at) values ('A', 'a@example.com', '${NOW}', '${NOW}');
    with recursive n(i) as (select 1 union all select i + 1 from n where i < 5000)
    insert into apps (name, descriptive_name, port, user_id, panels, created_at, updated_at)
    select printf('f%013x', i), printf('Filler %d', i), 10000 + i, 1, json_object('text', printf('%04000d', i)), '${NOW}', '${NOW}' from n`)
  db.close()
  const request = httpGet({
    host: '127.0.0.1',
    port: service.port,
    path: '/apps',
    headers: service.headers
  })
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  await once(response, 'readable')
  service.process.kill('SIGTERM')
  await service.prints('the service is stopping')
  let text = ''
  for await (const chunk of response.setEncoding('utf8')) text += chunk as string
  t.equal((JSON.parse(text) as unknown[]).length, 5000)
  t.equal((await service.ended).code, 0)
})

test('SIGHUP does not stop the service', async t => {
  const service = await start(t)
  service.process.kill('SIGHUP')
  await service.prints('the signal is ignored')
  t.equal((await fetch(`http://127.0.0.1:${service.port}/up`)).status, 200)
  service.process.kill('SIGTERM')
  t.equal((await service.ended).code, 0)
})

test('after an uncaught exception, the service logs it and exits with 1', async t => {
  const fail = "process.on('SIGUSR2', () => { throw new Error('out of the blue') })"
  const service = await start(t, { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(fail)}` })
  service.process.kill('SIGUSR2')
  const { code, stdout } = await service.ended
  t.equal(code, 1)
  t.match(stdout, /"level":60.*out of the blue/)
})

test("a client that hangs can't delay shutdown", async t => {
  const service = await start(t)
  const request = await slowPost(service)
  request.on('error', () => {})
  service.process.kill('SIGTERM')
  const { code, stdout } = await service.ended
  t.equal(code, 1)
  t.match(stdout, 'killed by timeout')
})

const UP = 'GET /up HTTP/1.1\r\nHost: localhost\r\n\r\n'
const POST = (path: string, headers: string, body: string): string =>
  `POST ${path} HTTP/1.1\r\nHost: localhost\r\n${headers}Content-Type: application/json\r\nContent-Length: 12\r\n\r\n${body}`

/** Data that a client may send without leaving a request in progress. */
const UNFINISHED_DATA = {
  nothing: '',
  'incomplete headers': 'GET /up HTTP/1.1\r\nHos',
  'a request and incomplete headers': `${UP}GET /up HT`,
  'pipelined requests': UP.repeat(3),
  'pipelined requests and incomplete headers': `${UP.repeat(2)}GET /`,
  'invalid HTTP': 'NONSENSE\r\n\r\n',
  'a body for an unknown route': POST('/nowhere', '', '{"a"'),
  'an upgrade request': UP.replace('\r\n\r\n', '\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'),
  'a tunnel request': 'CONNECT example.com:80 HTTP/1.1\r\nHost: example.com\r\n\r\n'
}

/** Opens a connection whose client keeps its side open after the service has ended its own side. */
const sendData = async (port: number, text: string): Promise<Socket> => {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  socket.on('error', () => {}).resume()
  await once(socket, 'connect')
  socket.write(text)
  return socket
}

test('connections without a request in progress do not delay shutdown, regardless of what they received', async t => {
  const service = await start(t)
  const sockets = await Promise.all(
    Object.values(UNFINISHED_DATA).flatMap(text => [
      sendData(service.port, text),
      sendData(service.port, text).then(socket => socket.end())
    ])
  )
  const db = new Database(service.env['DATABASE_URL'].slice('file:'.length))
  db.exec('begin immediate')
  const issue = POST('/client_keys', `Authorization: ${service.headers.authorization}\r\n`, '{"name":"x"}')
  for (const text of [issue, `${issue}GET /`, `${issue}NONSENSE\r\n\r\n`]) {
    sockets.push(await sendData(service.port, text), (await sendData(service.port, text)).end())
  }
  const running = await sendData(service.port, issue)
  const reply = once(running, 'data')
  service.process.kill('SIGTERM')
  await service.prints('the service is stopping')
  db.close()
  t.match(String(await reply), /^HTTP\/1\.1 (201|409) /, 'a request in progress gets a response')
  const { code, stdout } = await service.ended
  t.equal(code, 0, 'shutdown completes before its time limit')
  t.notMatch(stdout, '"level":50')
  for (const socket of [...sockets, running]) socket.destroy()
})
