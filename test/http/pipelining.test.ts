import { test } from 'tap'
import { createServer } from '../../app.ts'
import { openStorage } from '../../db/open.ts'
import { createKeyService } from '../../domain/keys/service.ts'
import { listening, operator, raw, settings } from '../helper.ts'

test('of requests in one segment, those behind an acknowledged revoke are refused', async t => {
  const { env, secret } = settings(t)
  const fastify = await createServer(env)
  t.teardown(() => fastify.close())
  // Another process, for all that SQLite can tell.
  const storage = await openStorage(env['DATABASE_URL'])
  t.teardown(storage.close)
  const keys = createKeyService({ store: storage.keys, secret })
  const { key, keyAccessToken } = await keys.issue({ name: 'k' }, operator)
  let revoked: Promise<unknown> | undefined
  // It is revoked in the midst of the turn: Node has parsed the request before, and not yet the one behind.
  fastify.addHook('onRequest', (request, _reply, done) => {
    if (request.url === '/up?revoke') revoked = keys.revoke(key.id, null, operator)
    done()
  })
  const port = await listening(fastify)

  const send = async (...paths: string[]): Promise<string[]> => {
    const requests = paths.map(
      (path, index) =>
        `GET ${path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${keyAccessToken}\r\n` +
        `Connection: ${index === paths.length - 1 ? 'close' : 'keep-alive'}\r\n\r\n`
    )
    return [...(await raw(port, requests.join(''))).matchAll(/HTTP\/1\.1 (\d+) /g)].map(([, status = '']) => status)
  }
  t.same(await send('/client_keys/me', '/client_keys/me'), ['200', '200'], 'known from here on')
  const [, up, behind, last] = await send('/client_keys/me', '/up?revoke', '/client_keys/me', '/client_keys/me')
  t.same([up, behind, last], ['200', '401', '401'])
  await revoked
})
