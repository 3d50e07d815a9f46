import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import Fastify from 'fastify'
import { test } from 'tap'
import { app } from '../../app.ts'
import { Database } from '../../db/sqlite/driver.ts'
import config from '../../plugins/external/config.ts'
import { newSecret, operator, temporaryFolder, world } from '../helper.ts'

test("uses that can't be stored are reported in the log, and are stored the next time", async t => {
  const { fastify, call, env } = await world(t)
  const { json: key } = await call('POST', '/client_keys', { name: 'busy' })
  const logged: unknown[][] = []
  t.intercept(fastify.log, 'warn', { value: (...line: unknown[]) => logged.push(line) })
  const other = new Database(env['DATABASE_URL'].slice('file:'.length))
  t.teardown(() => {
    other.close()
  })
  other.exec('begin exclusive')
  await call('GET', '/apps', undefined, { authorization: `Bearer ${key.key_access_token}` })
  await fastify.keyUsage.flush()
  t.match(logged, [[{ err: { code: 'SERVICE_UNAVAILABLE' } }, /^could not store the use of client keys/]])
  other.exec('rollback')
  await fastify.keyUsage.flush()
  t.match((await call('GET', `/client_keys/${key.id}`)).json, { tokens: [{ last_used_at: /^20/ }] })
})

/** What a service that starts warns of; a key is issued before it stops. */
const warningsOf = async (env: Record<string, string>): Promise<unknown[]> => {
  const lines: unknown[] = []
  const stream = { write: (line: string) => lines.push(JSON.parse(line)) }
  const fastify = Fastify({ logger: { level: 'warn', stream } })
  await fastify.register(config, { env: { CLIENT_SECRET: newSecret(), ...env } })
  await fastify.register(app)
  await fastify.clientKeys.issue({ name: randomUUID() }, operator)
  await fastify.close()
  return lines
}

test('a start warns of entries that no token can present, of tokens that no secret opens, and of no key at all', async t => {
  const DATABASE_URL = `file:${join(temporaryFolder(t), 'test.db')}`
  t.match(await warningsOf({ DATABASE_URL, CLIENT_KEYS: '' }), [{ msg: /^there are no client keys/ }])
  t.match(await warningsOf({ DATABASE_URL, CLIENT_KEYS: 'a-word,another', ALLOW_NEW_SECRET: 'true' }), [
    { msg: /^ALLOW_NEW_SECRET is true/ },
    { entries: 2, msg: /^some entries of CLIENT_KEYS are not key_ids/ },
    { generations: [/^[0-9a-f]{8}$/], msg: /^active tokens are refused, because they depend on secrets/ }
  ])
})
