import { test } from 'tap'
import { createServer } from '../../app.ts'
import { openStorage } from '../../db/open.ts'
import { createKeyService } from '../../domain/keys/service.ts'
import { listening, operator, raw, settings } from '../helper.ts'

test('pipelined requests after an acknowledged revocation are refused, even if they were sent in the same segment', async t => {
  const { env, secret } = settings(t)
  const fastify = await createServer(env)
  t.teardown(() => fastify.close())
  // Revokes the key in the same process, which SQLite can't distinguish from another process.
  const storage = await openStorage(env['DATABASE_URL'])
  t.teardown(storage.close)
  const keys = createKeyService({ store: storage.keys, secret })
  const { key, keyAccessToken } = await keys.issue({ name: 'k' }, operator)
  let revoked: Promise<unknown> | undefined
  // Revokes the key in a turn of the event loop before Node.js parses the next request.
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
  t.same(await send('/client_keys/me', '/client_keys/me'), ['200', '200'], 'the key is cached now')
  const [, up, behind, last] = await send('/client_keys/me', '/up?revoke', '/client_keys/me', '/client_keys/me')
  t.same([up, behind, last], ['200', '401', '401'])
  await revoked
})
