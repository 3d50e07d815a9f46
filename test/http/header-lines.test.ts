import { once } from 'node:events'
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { test } from 'tap'
import type { Test } from 'tap'
import { MAX_HEADER_LINES } from '../../http/limits.ts'
import { listening, raw, world } from '../helper.ts'
import type { World } from '../helper.ts'

const fill = (count: number): string => 'a:\r\n'.repeat(count)

interface Sent {
  /** The first lines, such as headers that the client forged. */
  first?: string
  /** The total number of header lines. */
  lines: number
  /** The last lines, which a proxy adds. */
  last: string
}

const requestOf = (token: string, { first = '', lines, last }: Sent): string => {
  const head = `Host: localhost\r\nAuthorization: Bearer ${token}\r\nConnection: close\r\n${first}`
  const known = `${head}${last}`.split('\r\n').length - 1
  return `GET /apps?limit=1 HTTP/1.1\r\n${head}${fill(lines - known)}${last}\r\n`
}

const behindProxy = async (t: Test) => {
  const made = await world(t, { TRUST_PROXY: '127.0.0.1' })
  const { json } = await made.call('POST', '/client_keys', { name: 'limited', allowed_ips: ['203.0.113.7'] })
  return { ...made, port: await listening(made.fastify), limited: String(json.key_access_token) }
}

const nameOf = (line: string): string => line.replace(/:.*/s, '')

const statusOf = (reply: string): number => Number(/^HTTP\/1\.1 (\d+) /.exec(reply)?.[1])

test('a request with more header lines than Node.js keeps is refused, regardless of which line would be dropped', async t => {
  const { port, key, limited } = await behindProxy(t)
  const forged = 'X-Forwarded-For: 203.0.113.7\r\n'
  for (const [token, first, last, status] of [
    [limited, forged, 'X-Forwarded-For: 198.51.100.1\r\n', 403],
    [limited, '', 'X-Forwarded-For: 203.0.113.7\r\n', 200],
    [key.keyAccessToken, '', 'Origin: https://evil.example\r\n', 403],
    [key.keyAccessToken, '', 'Sec-Fetch-Site: cross-site\r\n', 403],
    [key.keyAccessToken, '', `Authorization: Bearer ${limited}\r\n`, 401],
    [key.keyAccessToken, '', 'Host: evil.example\r\n', 400]
  ] as const) {
    const send = async (lines: number) => await raw(port, requestOf(token, { first, lines, last }))
    t.equal(statusOf(await send(10)), status, nameOf(last))
    t.equal(statusOf(await send(MAX_HEADER_LINES - 1)), status, `${nameOf(last)} as the last accepted line`)
    for (const lines of [MAX_HEADER_LINES, MAX_HEADER_LINES + 1, 2 * MAX_HEADER_LINES, 15_000]) {
      const reply = await send(lines)
      t.equal(statusOf(reply), 431, `${nameOf(last)} as line ${lines}`)
      t.match(reply, /content-type: application\/problem\+json/i)
      t.match(reply, /"code":"HEADERS_TOO_LARGE"/)
    }
  }
})

test('such a request is refused even without a credential or a route', async t => {
  const { fastify } = await world(t)
  const port = await listening(fastify)
  for (const path of ['/up', '/nope', '/auth/sign_in', '/docs/json']) {
    const reply = await raw(
      port,
      `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n${fill(MAX_HEADER_LINES)}\r\n`
    )
    t.equal(statusOf(reply), 431, path)
  }
})

/** Opens a persistent connection. `send` returns the status of the response. */
const openPersistentConnection = async (t: Test, { fastify }: World) => {
  const socket = connect(await listening(fastify), '127.0.0.1')
  t.teardown(() => socket.destroy())
  await once(socket, 'connect')
  const send = async (...parts: string[]): Promise<number> => {
    const replied = replyOn(socket)
    for (const part of parts) {
      await new Promise<void>((resolve, reject) => {
        socket.write(part, error => {
          if (error) reject(error)
          else resolve()
        })
      })
    }
    return await replied
  }
  return { socket, send }
}

const replyOn = async (socket: Socket): Promise<number> => {
  let text = ''
  while (!/\r\n\r\n.*[}\]]$/s.test(text)) {
    const [chunk] = (await once(socket, 'data')) as [Buffer]
    text += chunk.toString()
  }
  return statusOf(text)
}

test('lines are counted for each request on a connection, even if it arrives in parts', async t => {
  const made = await world(t)
  const { send } = await openPersistentConnection(t, made)
  const head = `GET /apps?limit=1 HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${made.key.keyAccessToken}\r\n`
  t.equal(await send(`${head}\r\n`), 200)
  t.equal(
    await send(head, ...Array.from({ length: 10 }, () => fill(99)), 'Sec-Fetch-Site: cross-site\r\n', '\r\n'),
    403
  )
  t.equal(await send(head, ...Array.from({ length: 10 }, () => fill(100)), 'Sec-Fetch-Site: cross-site\r\n\r\n'), 431)
  t.equal(await send(`${head}Sec-Fetch-Site: cross-site\r\n\r\n`), 403)
  t.equal(await send(`${head}\r\n`), 200)
})

test('lines after a body are not counted as headers of this request or the next one', async t => {
  const made = await world(t)
  const { send } = await openPersistentConnection(t, made)
  const { keyAccessToken } = made.key
  const trailers = (lines: number) =>
    `Origin: https://evil.example\r\nAuthorization: Bearer ${keyAccessToken}\r\n${fill(lines)}`
  const post = (path: string, credential: string, lines: number) =>
    `POST ${path} HTTP/1.1\r\nHost: localhost\r\n${credential}Content-Type: application/json\r\n` +
    `Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n${trailers(lines)}\r\n`
  for (const lines of [0, 2 * MAX_HEADER_LINES]) {
    t.equal(await send(post('/apps', '', lines)), 401)
    t.equal(await send('GET /apps?limit=1 HTTP/1.1\r\nHost: localhost\r\n\r\n'), 401)
    t.equal(await send(post('/apps', `Authorization: Bearer ${keyAccessToken}\r\n`, lines)), 422)
    t.equal(
      await send(`GET /apps?limit=1 HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${keyAccessToken}\r\n\r\n`),
      200
    )
  }
})
