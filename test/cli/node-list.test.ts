import { test } from 'tap'
import { createServer } from '../../app.ts'
import { generationOf } from '../../domain/keys/token/token.ts'
import { newSecret, settings } from '../helper.ts'
import { emptyPostgres } from '../postgres.ts'
import { command } from './terminal.ts'

test('on SQLite, node list reports that there are no nodes', async t => {
  const { env } = settings(t)
  t.match(await command(t, 'node:list', { env }), { code: 0, stdout: /There are no nodes/ })
  t.same(JSON.parse((await command(t, 'node:list', { env, args: ['--json'] })).stdout), [])
})

test('on SQLite, a service lists itself as a node', async t => {
  const previous = newSecret()
  const { env, key, secret } = settings(t, { CLIENT_SECRET_PREVIOUS: previous, NODE_NAME: 'api-1' })
  const fastify = await createServer(env)
  t.teardown(() => fastify.close())
  const headers = { authorization: `Bearer ${key.keyAccessToken}` }
  const nodes = async () => (await fastify.inject({ url: '/nodes', headers })).json()
  t.match(await nodes(), [
    {
      name: 'api-1',
      version: /^\d/,
      started_at: /^20/,
      generations: [generationOf(secret), generationOf(previous)],
      epoch: 0,
      behind: 0,
      lease_ms: 0,
      evicted_at: null
    }
  ])
  await fastify.inject({ method: 'POST', url: '/client_keys', headers, payload: { name: 'k' } })
  t.match(await nodes(), [{ epoch: 1, behind: 0 }])
})

test('node list shows each node and how far behind it is', async t => {
  const url = await emptyPostgres()
  if (url === null) return
  const { env, key, secret } = settings(t, { DATABASE_URL: url, NODE_NAME: 'api-1', KEY_LEASE_MS: '1500' })
  const fastify = await createServer(env)
  t.teardown(() => fastify.close())
  const headers = { authorization: `Bearer ${key.keyAccessToken}` }
  t.equal((await fastify.inject({ url: '/apps', headers })).statusCode, 200)
  const generation = generationOf(secret)
  t.match(await command(t, 'node:list', { env }), {
    code: 0,
    stdout: new RegExp(`GENERATIONS\n.*api-1 .* 1500 ms +no +${generation}\n`)
  })
  t.match(JSON.parse((await command(t, 'node:list', { env, args: ['--json'] })).stdout), [
    { name: 'api-1', generations: [generation], epoch: 0, behind: 0, lease_ms: 1500, evicted_at: null }
  ])
  t.match((await fastify.inject({ url: '/nodes', headers })).json(), [{ name: 'api-1', behind: 0 }])
  const { id } = (await fastify.inject({ method: 'POST', url: '/client_keys', headers, payload: { name: 'k' } })).json()
  const revoked = await fastify.inject({ method: 'POST', url: `/client_keys/${id}/revoke`, headers })
  t.match(revoked.json(), { receipt: { nodes: 1, acknowledged: 1, leases_ended: 0 } })
  await fastify.close()
  t.match(
    await command(t, 'node:list', { env }),
    { stdout: /There are no nodes/ },
    'a node that stops is removed from the list'
  )
})
