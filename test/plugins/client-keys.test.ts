import { test } from 'tap'
import { Database } from '../../db/sqlite/driver.ts'
import { world } from '../helper.ts'

test("uses that can't be written are told in the log, and are written the next time", async t => {
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
  await fastify.keyEvidence.flush()
  t.match(logged, [[{ err: { code: 'SERVICE_UNAVAILABLE' } }, /could not be written down/]])
  other.exec('rollback')
  await fastify.keyEvidence.flush()
  t.match((await call('GET', `/client_keys/${key.id}`)).json, { tokens: [{ last_used_at: /^20/ }] })
})
