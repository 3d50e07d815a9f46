import { once } from 'node:events'
import { connect } from 'node:net'
import { test } from 'tap'
import { listening, world } from '../helper.ts'

for (const [change, path, body, status] of [
  ['revoked', '/revoke', {}, 401],
  ['narrowed', '', { scopes: ['apps:read'] }, 403]
] as const) {
  test(`a key that is ${change} while its body is under way does nothing`, async t => {
    const made = await world(t)
    const port = await listening(made.fastify)
    const {
      json: { id, key_access_token: token }
    } = await made.call('POST', '/client_keys', { name: 'thief' })
    const sent = JSON.stringify({ name: 'its heir' })
    let answer = ''
    const socket = connect(port, '127.0.0.1')
      .setEncoding('utf8')
      .on('data', (chunk: string) => {
        answer += chunk
      })
    const letIn = new Promise<void>(resolve => {
      const { used } = made.fastify.keyUsage
      made.fastify.keyUsage.used = (...args) => {
        used(...args)
        if (args[0].key.id === id) resolve()
      }
    })
    socket.write(
      `POST /client_keys HTTP/1.1\r\nHost: localhost:${port}\r\nConnection: close\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\nContent-Length: ${sent.length}\r\n\r\n${sent.slice(0, 5)}`
    )
    await letIn
    t.equal((await made.call(path === '' ? 'PATCH' : 'POST', `/client_keys/${id}${path}`, body)).status, 200)
    socket.write(sent.slice(5))
    await once(socket, 'close')
    t.match(answer, new RegExp(`^HTTP/1.1 ${status} `))
    t.same((await made.call('GET', '/client_keys?name=its')).json, [])
  })
}
