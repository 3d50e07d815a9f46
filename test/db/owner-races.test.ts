import { randomUUID } from 'node:crypto'
import { setImmediate as turn } from 'node:timers/promises'
import pg from 'pg'
import { test } from 'tap'
import type { Test } from 'tap'
import { openStorage } from '../../db/open.ts'
import type { Storage } from '../../db/storage.ts'
import type { RequestContext } from '../../domain/access/principal.ts'
import { createKeyService } from '../../domain/keys/service.ts'
import type { KeyService } from '../../domain/keys/service.ts'
import { digestOf } from '../../domain/keys/token/token.ts'
import { at, newSecret, operator, required, settings } from '../helper.ts'
import { emptyPostgres, execute } from '../postgres.ts'

interface Node {
  readonly storage: Storage
  readonly keys: KeyService
}

/** Opens two nodes that share a database and a secret. */
const nodesOf = async (t: Test, url: string): Promise<[Node, Node]> => {
  const secret = newSecret()
  const open = async (): Promise<Node> => {
    const storage = await openStorage(url)
    t.teardown(storage.close)
    await storage.keyLookup.barrier()
    return { storage, keys: createKeyService({ store: storage.keys, keyLookup: storage.keyLookup, secret }) }
  }
  return [await open(), await open()]
}

const isPostgres = (await emptyPostgres()) !== null
const skip = !isPostgres && 'PostgreSQL is not available'

const ENGINES: readonly (readonly [engine: string, url: (t: Test) => Promise<string>])[] = [
  ['SQLite', async t => settings(t).env.DATABASE_URL],
  ...(isPostgres
    ? [['PostgreSQL', async () => required((await emptyPostgres()) ?? undefined, 'PostgreSQL')] as const]
    : [])
]

const isAccepted = async ({ keys }: Node, token: string): Promise<boolean> =>
  (await keys.verify(token, { scopes: [], address: '::1' })).ok

const names = (prefix: string, count: number): string[] => Array.from({ length: count }, (_, i) => `${prefix} ${i}`)

/** Returns the outcome of work: `done`, or the code of its error. */
const outcomeOf = async (work: Promise<unknown>): Promise<string> =>
  await work.then(
    () => 'done',
    (error: unknown) => String((error as { code?: string }).code)
  )

for (const [engine, urlOf] of ENGINES) {
  test(`${engine}: once the revocation of an owner is acknowledged, no node accepts any of the keys`, async t => {
    const nodes = await nodesOf(t, await urlOf(t))
    const issued = await Promise.all(
      names('key', 30).map(async name => await nodes[0].keys.issue({ name, owner: 'one' }, operator))
    )
    const other = await nodes[1].keys.issue({ name: 'other', owner: 'other' }, operator)
    const tokens = issued.map(({ keyAccessToken }) => keyAccessToken)
    const state = { isAcknowledged: false }
    let late = 0
    const asking = nodes.map(async (node, index) => {
      for (let i = index; !state.isAcknowledged; i++) {
        await isAccepted(node, at(tokens, i % tokens.length))
        await turn()
      }
      for (const token of tokens) if (await isAccepted(node, token)) late++
    })
    const { count, receipt } = await nodes[0].keys.revokeOwner('one', 'left', operator)
    state.isAcknowledged = true
    await Promise.all(asking)
    t.equal(count, 30)
    t.match(receipt, { epoch: Number })
    t.equal(late, 0)
    t.ok(await isAccepted(nodes[1], other.keyAccessToken))
  })

  test(`${engine}: a revocation of an owner and other changes of its keys have an order`, async t => {
    const nodes = await nodesOf(t, await urlOf(t))
    const [{ keys, storage }, { keys: others }] = nodes
    for (let round = 0; round < 6; round++) {
      const [owner, other] = [`owner ${round}`, `other ${round}`]
      const issue = async (name: string, whose: string) =>
        await keys.issue({ name: `${name} ${round}`, owner: whose }, operator)
      const [stays, rotates, leaves, comes] = await Promise.all([
        issue('stays', owner),
        issue('rotates', owner),
        issue('leaves', owner),
        issue('comes', other)
      ])
      const use = { count: 1, lastUsedAt: new Date(), lastUsedIp: '::1', lastUsedAgent: null }
      const uses = [stays, rotates, leaves].map(({ keyId }) => ({ digest: digestOf(keyId), ...use }))
      const [first, second, ...outcomes] = await Promise.all([
        keys.revokeOwner(owner, 'left', operator),
        others.revokeOwner(owner, 'left', operator),
        outcomeOf(others.issue({ name: `new ${round}`, owner }, operator)),
        outcomeOf(others.rotate(rotates.key.id, { graceSeconds: 0 }, operator)),
        outcomeOf(others.change(leaves.key.id, { owner: other }, operator)),
        outcomeOf(keys.change(comes.key.id, { owner }, operator)),
        outcomeOf(
          storage
            .write(async tx => {
              await tx.keys.addTokenUsage(uses)
            })
            .catch(() => null)
        )
      ])
      t.ok(
        outcomes.every(outcome => ['done', 'CLIENT_KEY_REVOKED'].includes(outcome)),
        outcomes.join()
      )
      const trail = await storage.read(async ({ audits }) => await audits.newest({}, { limit: 100 }))
      const revocations = trail.filter(({ action, subject }) => action.endsWith('revoke_owner') && subject.id === owner)
      const lastOf = (id: string): number => Math.max(...trail.flatMap(e => (e.subject.id === id ? [e.sequence] : [])))
      const lastRevocation = Math.max(...revocations.map(({ sequence }) => sequence))
      const owned = (await keys.list({ owner }, { limit: 100 })).keys
      for (const { id, revokedAt, name } of owned) {
        t.ok(revokedAt !== null || lastOf(id) > lastRevocation, `${name} was revoked, or got its owner later`)
      }
      const counted = revocations.reduce(
        (sum, { changes }) => sum + (JSON.parse(changes) as { keys: { to: number } }).keys.to,
        0
      )
      t.equal(first.count + second.count, counted)
      t.equal(owned.filter(({ revokedAt }) => revokedAt !== null).length, counted)
      t.not((await keys.find(stays.key.id)).revokedAt, null)
      const left = await keys.find(leaves.key.id)
      t.equal(left.revokedAt === null, left.owner === other, 'the key left in time, or was revoked')
    }
  })
}

test('SQLite: other requests are served while many keys are revoked, and close waits for the end', async t => {
  const { env } = settings(t)
  const secret = newSecret()
  const storage = await openStorage(env.DATABASE_URL)
  const keys = createKeyService({ store: storage.keys, keyLookup: storage.keyLookup, secret })
  const { key, keyAccessToken } = await keys.issue({ name: 'k', owner: 'one' }, operator)
  await storage.keys.write(async tx => {
    const template = await keys.find(key.id)
    for (const name of names('copy', 2000)) {
      const { createdAt, createdBy } = template
      if (createdAt === null || createdBy === null) throw new Error('the key is not managed')
      await tx.keys.insert({ ...template, createdAt, createdBy, id: randomUUID(), name })
    }
  })
  let isOver = false
  const revoking = keys.revokeOwner('one', null, operator).finally(() => {
    isOver = true
  })
  await turn()
  const queued = keys.issue({ name: 'later', owner: 'one' }, operator)
  t.match(await keys.verify(keyAccessToken, { scopes: [], address: '::1' }), { ok: true })
  t.notOk(isOver, 'the revocation is not committed yet')
  await storage.close()
  t.equal((await revoking).count, 2001)
  t.match(await queued, { key: { revokedAt: null } })
})

/** Keeps locks in a transaction of another client until the returned function ends it. */
const hold = async (t: Test, url: string, ...statements: string[]): Promise<(end: string) => Promise<void>> => {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  t.teardown(async () => {
    await client.end()
  })
  for (const statement of ['begin', ...statements]) await client.query(statement)
  return async end => {
    await client.query(end)
  }
}

/** Waits until as many statements wait for a lock. */
const waiting = async (url: string, count: number): Promise<void> => {
  const text = `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`
  while ((await execute(url, text)).length < count);
}

const postgresUrl = async (): Promise<string> => required((await emptyPostgres()) ?? undefined, 'PostgreSQL')

test('while the keys of an owner are being revoked, all other keys can be changed', { skip }, async t => {
  const url = await postgresUrl()
  const [{ keys }, { keys: others }] = await nodesOf(t, url)
  const { key } = await keys.issue({ name: 'k', owner: 'one' }, operator)
  const { key: other } = await keys.issue({ name: 'other' }, operator)
  const end = await hold(t, url, `select from client_keys where id = '${key.id}' for update`)
  const revoking = keys.revokeOwner('one', null, operator)
  await waiting(url, 1)
  for (const service of [keys, others]) {
    const { receipt } = await service.change(other.id, { enabled: false }, operator)
    t.match(receipt, { nodes: 2, acknowledged: 2 }, 'nodes can acknowledge other changes')
  }
  await others.issue({ name: 'unrelated', owner: 'two' }, operator)
  t.equal(await outcomeOf(others.issue({ name: 'new', owner: 'one' }, operator)), 'SERVICE_UNAVAILABLE')
  t.equal(await outcomeOf(others.change(other.id, { owner: 'one' }, operator)), 'SERVICE_UNAVAILABLE')
  await end('rollback')
  t.equal((await revoking).count, 1)
  t.match(await others.change(other.id, { owner: 'one' }, operator), { key: { owner: 'one' } })
})

const asRequester = async ({ keys, storage }: Node, scopes: ('client_keys:write' | 'users:read')[]) => {
  const { keyId } = await keys.issue({ name: 'requester', scopes }, operator)
  const token = await storage.read(async rows => await rows.keys.findToken(digestOf(keyId)))
  const known = required(token ?? undefined, 'the token')
  const principal = { kind: 'client_key' as const, key: known.key, token: known, rate: null }
  return { ...operator, principal } satisfies RequestContext
}

test('a key that gets more permissions while it is being revoked is not missed', { skip }, async t => {
  const url = await postgresUrl()
  const [node] = await nodesOf(t, url)
  const { keys } = node
  const requester = await asRequester(node, ['client_keys:write', 'users:read'])
  const { key } = await keys.issue({ name: 'k', owner: 'one', scopes: ['users:read'] }, operator)
  const end = await hold(t, url, `update client_keys set scopes = '["*"]' where id = '${key.id}'`)
  const refused = t.rejects(keys.revokeOwner('one', null, requester), { code: 'BEYOND_CEILING' })
  await waiting(url, 1)
  await end('commit')
  await refused
  t.equal((await keys.find(key.id)).revokedAt, null)
  t.equal((await keys.revokeOwner('one', null, operator)).count, 1)
})

const insertNode = (isEvicted = false): string => `
  insert into nodes (id, name, version, started_at, acked, lease_ms, evicted_at)
  select '${randomUUID()}', 'old', '1.0.0', '2026-01-01T00:00:00.000Z', max(epoch), 0,
    ${isEvicted ? "'2026-01-01T00:00:00.000Z'" : 'null'}
  from client_key_changes`

test('a node with an earlier version prevents the revocation of an owner, but not of a key', { skip }, async t => {
  const url = await postgresUrl()
  const [{ keys }] = await nodesOf(t, url)
  const { key } = await keys.issue({ name: 'k', owner: 'one' }, operator)
  await execute(url, insertNode(true))
  t.equal((await keys.revokeOwner('nobody', null, operator)).count, 0, 'a node that was evicted has no effect')
  await execute(url, insertNode())
  await t.rejects(keys.revokeOwner('one', null, operator), { code: 'NODES_OUTDATED' })
  t.match(await keys.find(key.id), { revokedAt: null })
  t.equal((await execute(url, `select from audits where action = 'client_key.revoke_owner'`)).length, 0)
  await execute(url, `update nodes set applies_bulk_changes = true`)
  t.equal((await keys.revokeOwner('one', null, operator)).count, 1)
})

test('a node with an earlier version that registers during the revocation prevents it too', { skip }, async t => {
  const url = await postgresUrl()
  const [{ keys }] = await nodesOf(t, url)
  const { key } = await keys.issue({ name: 'k', owner: 'one' }, operator)
  const end = await hold(t, url, `select from client_keys where id = '${key.id}' for update`)
  const refused = t.rejects(keys.revokeOwner('one', null, operator), { code: 'NODES_OUTDATED' })
  await waiting(url, 1)
  await execute(url, insertNode())
  await end('rollback')
  await refused
  t.match(await keys.find(key.id), { revokedAt: null })
})

test('the revocation of an owner adds one row to the history, whose key id is *', { skip }, async t => {
  const url = await postgresUrl()
  const [{ keys }] = await nodesOf(t, url)
  for (const name of names('key', 5)) await keys.issue({ name, owner: 'one' }, operator)
  const count = async () => (await execute(url, 'select from client_key_changes')).length
  const before = await count()
  t.equal((await keys.revokeOwner('one', null, operator)).count, 5)
  t.equal((await count()) - before, 1)
  t.match(await execute(url, 'select key_id from client_key_changes order by epoch desc limit 1'), [{ key_id: '*' }])
})

test('the keys of an owner are found with an index', { skip }, async t => {
  const url = await postgresUrl()
  await nodesOf(t, url)
  await execute(
    url,
    `insert into client_keys (id, name, owner, scopes, enabled, allowed_ips, metadata, created_at, created_by)
       select 'key ' || i, 'key ' || i, 'owner ' || i % 500, '["*"]', true, '[]', '{}', '2026-01-01', '{}'
       from generate_series(1, 20000) as i;
     analyze client_keys`
  )
  const plan = await execute(
    url,
    `explain select * from client_keys where id > '' and owner = 'owner 7' order by id limit 1 offset 4999`
  )
  t.match(JSON.stringify(plan), /client_keys_owner/)
})
