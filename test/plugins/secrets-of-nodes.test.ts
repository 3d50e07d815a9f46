import tap, { test } from 'tap'
import type { Test } from 'tap'
import Fastify from 'fastify'
import type { FastifyInstance } from 'fastify'
import { app } from '../../app.ts'
import { createTokenSealer, generationOf, issueClientKey } from '../../domain/keys/token/token.ts'
import config from '../../plugins/external/config.ts'
import { required, newSecret } from '../helper.ts'
import { emptyPostgres, execute, postgresDatabase } from '../postgres.ts'

const skip = (await postgresDatabase(tap)) === null

const [A, B] = [newSecret(), newSecret()]
const [OLD, NEW] = [generationOf(A), generationOf(B)]

interface Node {
  readonly fastify: FastifyInstance
  /** The lines in the node's log with level `warn` or higher. */
  readonly log: { readonly level: number; readonly msg: string; readonly nodes?: unknown }[]
  readonly call: (
    method: 'GET' | 'POST',
    url: string,
    options?: { body?: object; token?: string }
  ) => Promise<{ status: number; headers: object; json: ReturnType<typeof JSON.parse> }>
}

/** Creates a cluster with an emptied database. Each node has its own secrets, and requests use an environment key. */
const cluster = async (t: Test) => {
  const url = required((await emptyPostgres()) ?? undefined, 'PostgreSQL')
  const { keyId, keyAccessToken } = issueClientKey(createTokenSealer(A))
  const start = async (
    name: string,
    [secret = '', ...previous]: readonly string[],
    more: Record<string, string> = {}
  ): Promise<Node> => {
    const log: Node['log'] = []
    const stream = { write: (line: string) => log.push(JSON.parse(line) as Node['log'][0]) }
    const fastify = Fastify({ logger: { level: 'warn', stream } })
    t.teardown(() => fastify.close())
    const env = { CLIENT_SECRET: secret, CLIENT_SECRET_PREVIOUS: previous.join(), CLIENT_KEYS: keyId, ...more }
    await fastify.register(config, { env: { DATABASE_URL: url, NODE_NAME: name, ...env } })
    await fastify.register(app)
    return {
      fastify,
      log,
      call: async (method, path, { body, token = keyAccessToken } = {}) => {
        const response = await fastify.inject({
          method,
          url: path,
          headers: { authorization: `Bearer ${token}` },
          ...(body === undefined ? {} : { payload: body })
        })
        return { status: response.statusCode, headers: response.headers, json: response.json() }
      }
    }
  }
  return { url, start }
}

const issue = async ({ call }: Node, name: string) => await call('POST', '/client_keys', { body: { name } })

test("GET /nodes shows each node's generations as soon as it starts, the current one first", { skip }, async t => {
  const { start, url } = await cluster(t)
  // Registers a node as the previous version does.
  await execute(
    url,
    `insert into nodes (id, name, version, started_at, acked, lease_ms)
    values (gen_random_uuid(), 'before', '0.0.9', '2026-01-01T00:00:00.000Z', 0, 2000)`
  )
  const first = await start('first', [A])
  const second = await start('second', [B, A])
  const listed = async ({ call }: Node) =>
    (await call('GET', '/nodes')).json.map(({ name, generations }: Record<string, unknown>) => [name, generations])
  const expected = [
    ['before', []],
    ['first', [OLD]],
    ['second', [NEW, OLD]]
  ]
  t.same(await listed(second), expected)
  await first.fastify.close()
  t.same(await listed(second), [expected[0], expected[2]])
})

test('no token is created that a node would refuse, and none is revoked instead', { skip }, async t => {
  const { start } = await cluster(t)
  const first = await start('first', [A])
  const { json: key } = await issue(first, 'a key')
  const token = String(key.key_access_token)

  const second = await start('second', [B, A])
  t.match(second.log.at(-1), {
    level: 40,
    msg: /^these nodes refuse this node's tokens, or this node refuses theirs/,
    nodes: [{ name: 'first', generations: [OLD] }]
  })
  const refusal = {
    status: 503,
    headers: { 'retry-after': '1' },
    json: { code: 'SECRET_NOT_SHARED', detail: /^No token was created, because another node lacks this CLIENT_SECRET/ }
  }
  t.match(await issue(second, 'another'), refusal)
  t.match(await second.call('POST', `/client_keys/${key.id}/rotate`, { body: { grace_seconds: 0 } }), refusal)
  for (const node of [first, second]) t.equal((await node.call('GET', '/client_keys/me', { token })).status, 200)
  t.equal((await second.call('GET', `/client_keys/${key.id}`)).json.tokens.length, 1)
  t.match((await second.call('GET', '/client_keys')).json.map(({ name }: { name: string }) => name).sort(), [
    'a key',
    String
  ])
  t.equal(
    (await second.call('POST', `/client_keys/${key.id}/revoke`)).status,
    200,
    'changes that create no token are still accepted'
  )
  t.equal((await issue(first, 'of the first')).status, 201, 'the second node can open it')

  await first.fastify.close()
  const third = await start('third', [A, B])
  t.same(
    third.log.filter(({ msg }) => msg.startsWith('these nodes')),
    [],
    "each of them can open the other's tokens"
  )
  const { status, json: made } = await issue(second, 'of the second')
  t.equal(status, 201)
  t.equal((await third.call('GET', '/client_keys/me', { token: made.key_access_token })).status, 200)
})

/** Inserts a row for another node, which has the secret A and won't acknowledge any change. */
const insertNode = async (url: string, name: string, leaseMs: number, evictedAt: string | null = null) => {
  await execute(
    url,
    `insert into nodes (id, name, version, started_at, acked, lease_ms, evicted_at, generations)
    select gen_random_uuid(), '${name}', '1', '2026-01-01T00:00:00.000Z', max(epoch), ${leaseMs},
      ${evictedAt === null ? 'null' : `'${evictedAt}'`}, '["${OLD}"]' from client_key_changes`
  )
}

test('a killed node is detected and evicted, and a node whose state is unknown does not count', { skip }, async t => {
  const { start, url } = await cluster(t)
  const node = await start('new', [B, A], { KEY_LEASE_MS: '200' })
  const changes = async () => await execute(url, 'select max(epoch)::int as changes from client_key_changes')
  await insertNode(url, 'without a lease', 0)
  await insertNode(url, 'evicted', 200, '2026-01-01T00:00:00.000Z')
  t.equal((await issue(node, 'one')).status, 201)
  t.same(await changes(), [{ changes: 1 }], 'the change did not have to wait for any node')
  await insertNode(url, 'killed', 200)
  t.equal((await issue(node, 'two')).status, 201)
  t.same(await changes(), [{ changes: 3 }])
  t.equal((await issue(node, 'three')).status, 201)
  t.same(await changes(), [{ changes: 4 }], 'the node is evicted only once')
})

// The eviction of a killed node is committed on a different connection than the token.
test('a token is created only after a killed node is evicted, even if the eviction is slow', { skip }, async t => {
  const { start, url } = await cluster(t)
  const node = await start('new', [B, A], { KEY_LEASE_MS: '200' })
  await insertNode(url, 'killed', 200)
  await execute(
    url,
    `create function evict_slowly() returns trigger language plpgsql as
      $$ begin perform pg_sleep(0.4); return new; end $$;
    create trigger evict_slowly before update of evicted_at on nodes for each row execute function evict_slowly()`
  )
  t.teardown(async () => {
    await execute(url, 'drop function evict_slowly cascade')
  })
  t.equal((await issue(node, 'a key')).status, 201)
})

test("a running node's secret is in use, even if another node started later", { skip }, async t => {
  const { start, url } = await cluster(t)
  await start('both', [B, A])
  const old = await start('old', [A])
  await old.fastify.close()
  t.same(await execute(url, 'select generation from secret_generations'), [{ generation: OLD }])
  await start('new', [B])
  t.same(await execute(url, 'select generation from secret_generations'), [{ generation: NEW }])
  await start('old again', [A])
})
