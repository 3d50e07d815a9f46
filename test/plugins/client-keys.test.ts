import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import Fastify from 'fastify'
import { test } from 'tap'
import { app, createServer } from '../../app.ts'
import { Database } from '../../db/sqlite/driver.ts'
import { createTokenSealer, issueClientKey } from '../../domain/keys/token/token.ts'
import config from '../../plugins/external/config.ts'
import { newSecret, operator, temporaryFolder, world } from '../helper.ts'

test("usage that can't be stored is reported in the log, and is stored the next time", async t => {
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
  t.match(logged, [[{ err: { code: 'SERVICE_UNAVAILABLE' } }, /^could not store client key usage/]])
  other.exec('rollback')
  await fastify.keyUsage.flush()
  t.match((await call('GET', `/client_keys/${key.id}`)).json, { tokens: [{ last_used_at: /^20/ }] })
})

/** Starts a service, issues a key and closes the service. Returns the service's warnings. */
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

test('the service warns at startup if entries match no possible token, if no secret opens some tokens, or if there are no keys', async t => {
  const DATABASE_URL = `file:${join(temporaryFolder(t), 'test.db')}`
  t.match(await warningsOf({ DATABASE_URL, CLIENT_KEYS: '' }), [{ msg: /^there are no client keys/ }])
  t.match(await warningsOf({ DATABASE_URL, CLIENT_KEYS: 'a-word,another', ALLOW_NEW_SECRET: 'true' }), [
    { msg: /^ALLOW_NEW_SECRET is true/ },
    { entries: 2, msg: /^some entries in CLIENT_KEYS are not key_ids/ },
    { generations: [/^[0-9a-f]{8}$/], msg: /^active tokens are refused, because they depend on secrets/ }
  ])
})

test('the service warns at startup about environment keys if no secret opens their last token', async t => {
  const secret = newSecret()
  const { keyId, keyAccessToken } = issueClientKey(createTokenSealer(secret))
  const DATABASE_URL = `file:${join(temporaryFolder(t), 'test.db')}`
  const env = { DATABASE_URL, CLIENT_KEYS: keyId }
  const fastify = await createServer({ ...env, CLIENT_SECRET: secret, LOG_LEVEL: 'silent' })
  const headers = { authorization: `Bearer ${keyAccessToken}` }
  t.equal((await fastify.inject({ url: '/apps', headers })).statusCode, 200)
  const [used] = await fastify.clientKeys.environmentKeys()
  await fastify.close()
  t.match(await warningsOf({ ...env, ALLOW_NEW_SECRET: 'true' }), [
    { msg: /^ALLOW_NEW_SECRET is true/ },
    { keys: [used?.key.id], msg: /^environment keys were last used with tokens that are now refused/ }
  ])
})
