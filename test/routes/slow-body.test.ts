import { once } from 'node:events'
import { connect } from 'node:net'
import { test } from 'tap'
import { listening, world } from '../helper.ts'
import type { World } from '../helper.ts'

for (const [change, path, body, status] of [
  ['revoked', '/revoke', {}, 401],
  ['narrowed', '', { scopes: ['apps:read'] }, 403]
] as const) {
  test(`a key that is ${change} while its request's body is arriving changes nothing`, async t => {
    const made = await world(t)
    const port = await listening(made.fastify)
    const {
      json: { id, key_access_token: token }
    } = await made.call('POST', '/client_keys', { name: 'thief' })
    const sent = JSON.stringify({ name: 'its successor' })
    let reply = ''
    const socket = connect(port, '127.0.0.1')
      .setEncoding('utf8')
      .on('data', (chunk: string) => {
        reply += chunk
      })
    const authenticated = new Promise<void>(resolve => {
      const { used } = made.fastify.keyUsage
      made.fastify.keyUsage.used = (...args) => {
        used(...args)
        if (args[0].key.id === id) resolve()
      }
    })
    socket.write(
      `POST /client_keys HTTP/1.1\r\nHost: localhost:${port}\r\nConnection: close\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\nContent-Length: ${sent.length}\r\n\r\n${sent.slice(0, 5)}`
    )
    await authenticated
    t.equal((await made.call(path === '' ? 'PATCH' : 'POST', `/client_keys/${id}${path}`, body)).status, 200)
    socket.write(sent.slice(5))
    await once(socket, 'close')
    t.match(reply, new RegExp(`^HTTP/1.1 ${status} `))
    t.same((await made.call('GET', '/client_keys?name=its')).json, [])
  })
}

/** Requests to routes without a body schema, and the resources that must not change. */
const WITHOUT_BODY: readonly (readonly [request: string, watched: string])[] = [
  ['DELETE /apps/ba6811fb3e073d', '/apps/ba6811fb3e073d'],
  ['PUT /apps/ba6811fb3e073d/transfer/users/2', '/apps/ba6811fb3e073d'],
  ['POST /apps/ba6811fb3e073d/permissions/users/2', '/apps/ba6811fb3e073d/permissions']
]

/** Sends a request, and completes its body after `work` has finished. Returns the response. */
const during = async (made: World, request: string, authorization: string, work: () => Promise<void>) => {
  const port = await listening(made.fastify)
  const socket = connect(port, '127.0.0.1').setEncoding('utf8')
  let reply = ''
  socket.on('data', (chunk: string) => {
    reply += chunk
  })
  const [method, path] = request.split(' ')
  const routed = new Promise<void>(resolve => {
    made.fastify.server.once('request', ({ url }) => {
      if (url === path) resolve()
    })
  })
  socket.write(
    `${method} ${path} HTTP/1.1\r\nHost: localhost:${port}\r\nConnection: close\r\nAuthorization: ${authorization}\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{`
  )
  await routed
  await work()
  socket.write('}')
  await once(socket, 'close')
  return reply
}

for (const [request, watched] of WITHOUT_BODY) {
  test(`a key that is revoked before the body of ${request} arrives changes nothing`, async t => {
    const made = await world(t)
    const { id, key_access_token: token } = (await made.call('POST', '/client_keys', { name: 'thief' })).json
    const used = new Promise<void>(resolve => {
      const record = made.fastify.keyUsage.used
      made.fastify.keyUsage.used = (...args) => {
        record(...args)
        if (args[0].key.id === id) resolve()
      }
    })
    const before = (await made.call('GET', watched)).text
    const reply = await during(made, request, `Bearer ${token}`, async () => {
      await used
      t.equal((await made.call('POST', `/client_keys/${id}/revoke`, {})).status, 200)
    })
    t.match(reply, /^HTTP\/1\.1 401 /)
    t.equal((await made.call('GET', watched)).text, before)
  })
}

test('an administrator who is demoted before the body of a delete request arrives deletes no user', async t => {
  const made = await world(t)
  const login = { email: 'eve@example.com', password: 'seven green kettles' }
  const { id } = (await made.call('POST', '/users', { name: 'Eve', role: 'admin', ...login })).json
  const signedIn = await made.call('POST', '/auth/sign_in', login, { authorization: '' })
  const victim = (await made.call('POST', '/users', { name: 'Ann', email: 'ann@example.com' })).json
  const session = String(signedIn.headers['authorization'])
  const reply = await during(made, `DELETE /users/${victim.id}?apps=delete`, session, async () => {
    // When a later request of the same session has been authenticated, so has this one.
    t.equal((await made.call('GET', '/profile', undefined, { authorization: session })).status, 200)
    t.equal((await made.call('PATCH', `/users/${id}`, { role: 'member' })).status, 200)
  })
  t.match(reply, /^HTTP\/1\.1 403 /)
  t.equal((await made.call('GET', `/users/${victim.id}`)).status, 200)
})
