import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import pg from 'pg'
import tap, { test } from 'tap'
import type { Test } from 'tap'
import { openStorage } from '../../db/open.ts'
import type { Storage } from '../../db/storage.ts'
import { createKeyService } from '../../domain/keys/service.ts'
import type { KeyService } from '../../domain/keys/service.ts'
import { startProxy } from '../cluster/proxy.ts'
import type { Proxy } from '../cluster/proxy.ts'
import { createReports } from '../reports.ts'
import { newSecret, operator } from '../helper.ts'
import { emptyPostgres, execute } from '../postgres.ts'

interface World {
  readonly url: string
  readonly proxy: Proxy
  readonly storage: Storage
  readonly keys: KeyService
  /** The errors of failed background work. */
  readonly reports: unknown[]
}

/** Opens a node that connects to its database through a proxy, which a test can interrupt. */
const worldOf = async (t: Test, leaseMs = 2000): Promise<World> => {
  const url = await emptyPostgres()
  if (url === null) throw new Error('PostgreSQL is not available')
  const proxy = await startProxy(t, url)
  const { background, reports } = createReports()
  const storage = await openStorage(proxy.url, { background, leaseMs, poolSize: 2 })
  t.teardown(storage.close)
  const keys = createKeyService({ store: storage.keys, keyLookup: storage.keyLookup, secret: newSecret() })
  // Opens a connection now, so that later statements don't have to.
  await keys.issue({ name: 'first' }, operator)
  await storage.keyLookup.barrier()
  return { url, proxy, storage, keys, reports }
}

/** Holds the statements' locks until the returned function is called. */
const holdLocks = async (t: Test, url: string, ...statements: string[]): Promise<() => Promise<void>> => {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => {})
  await client.connect()
  t.teardown(async () => {
    await client.end()
  })
  for (const statement of ['begin', ...statements]) await client.query(statement)
  return async () => {
    await client.query('rollback')
  }
}

/**
 * Starts a proxy that holds back the first commit. `reset` resets the client's connection. `deliver` then sends the
 * commit to the server, and resolves when the server has closed the connection.
 */
const slowCommits = async (t: Test, url: string) => {
  const { hostname, port } = new URL(url)
  let keep = (): void => {}
  const kept = new Promise<void>(resolve => {
    keep = resolve
  })
  let reset = (): void => {}
  let deliver = async (): Promise<void> => {}
  const sockets: Socket[] = []
  const server = createServer(client => {
    const database = connect(Number(port || 5432), hostname)
    sockets.push(client, database)
    let isKept = false
    client
      .on('error', () => {})
      .on('data', chunk => {
        if (isKept) return
        if (!wasKept && chunk.toString('latin1').includes('commit\0')) {
          wasKept = true
          isKept = true
          reset = () => client.resetAndDestroy()
          deliver = async () => {
            if (database.destroyed) return
            const closed = once(database, 'close')
            database.end(chunk)
            await closed
          }
          keep()
          return
        }
        database.write(chunk)
      })
    database.on('error', () => {}).on('data', chunk => client.write(chunk))
    client.on('close', () => {
      if (!isKept) database.destroy()
    })
    database.on('close', () => client.destroy())
  })
  let wasKept = false
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const link = Object.assign(new URL(url), { host: `127.0.0.1:${(server.address() as AddressInfo).port}` })
  return {
    url: link.href,
    kept,
    reset: () => {
      reset()
    },
    deliver: async () => {
      await deliver()
    }
  }
}

const UNAVAILABLE = { code: 'SERVICE_UNAVAILABLE' }

const skip = (await emptyPostgres()) === null && 'PostgreSQL is not available'

test("while another client has locked a key's row, all other keys can be changed", { skip }, async t => {
  const { url, keys } = await worldOf(t)
  const [{ key: locked }, { key: other }] = await Promise.all([
    keys.issue({ name: 'locked' }, operator),
    keys.issue({ name: 'other' }, operator)
  ])
  const release = await holdLocks(t, url, `select from client_keys where id = '${locked.id}' for update`)
  const blocked = [1, 2].map(async () => {
    await t.rejects(keys.revoke(locked.id, null, operator), UNAVAILABLE)
  })
  for (const enabled of [false, true, false]) await keys.change(other.id, { enabled }, operator)
  await keys.rotate(other.id, { graceSeconds: 0 }, operator)
  t.match(await keys.revoke(other.id, null, operator), { receipt: { epoch: Number } })
  await Promise.all(blocked)
  await release()
  t.match(await keys.revoke(locked.id, null, operator), { key: { revokedAt: Date } })
})

test(
  'while the row of a used key is locked, storing its use does not delay changes to other used keys',
  { skip },
  async t => {
    const { url, storage, keys } = await worldOf(t)
    const issued = await Promise.all(
      Array.from({ length: 6 }, async (_, index) => await keys.issue({ name: `used ${index}` }, operator))
    )
    const [locked, ...others] = issued.map(({ key }) => key.id)
    const digests = (await execute(url, "select encode(digest, 'hex') as digest from client_key_tokens")) as {
      digest: string
    }[]
    const uses = digests.map(({ digest }) => ({
      digest,
      count: 1,
      lastUsedAt: new Date(),
      lastUsedIp: '::1',
      lastUsedAgent: null
    }))
    const release = await holdLocks(t, url, `select from client_keys where id = '${String(locked)}' for update`)
    const use = async (): Promise<void> => {
      await storage.write(async tx => {
        await tx.keys.addTokenUsage(uses)
      })
    }
    const left = [...others]
    const using = (async () => {
      while (left.length > 0) await use().catch(() => {})
    })()
    for (const id of others) {
      t.match(await keys.revoke(id, null, operator), { key: { revokedAt: Date } })
      left.pop()
    }
    await release()
    await using
    await use()
    t.match(await keys.tokens(String(locked)), [{ lastUsedIp: '::1' }])
  }
)

test('many requests for a key whose row is locked do not use up the connections for other keys', { skip }, async t => {
  const { url, keys } = await worldOf(t)
  const { key: locked } = await keys.issue({ name: 'locked' }, operator)
  const { key: other } = await keys.issue({ name: 'other' }, operator)
  const release = await holdLocks(t, url, `select from client_keys where id = '${locked.id}' for update`)
  const blocked = Promise.allSettled(
    Array.from({ length: 20 }, async () => await keys.change(locked.id, { enabled: false }, operator))
  )
  for (const enabled of [false, true]) await keys.change(other.id, { enabled }, operator)
  t.match(await keys.revoke(other.id, null, operator), { receipt: { epoch: Number } })
  await release()
  t.equal((await blocked).length, 20)
})

test('while all other queries are waiting for a lock, keys can change and the service is ready', { skip }, async t => {
  const { url, storage, keys } = await worldOf(t)
  const { key } = await keys.issue({ name: 'k' }, operator)
  const release = await holdLocks(t, url, 'lock table apps in access exclusive mode')
  const waiting = Array.from({ length: 4 }, async () => await storage.read(async ({ apps }) => await apps.isEmpty()))
  t.match(await keys.revoke(key.id, null, operator), { receipt: { epoch: Number } })
  t.match(await storage.readiness(), { keys: true, changes: true, failing: [] })
  await release()
  await Promise.allSettled(waiting)
})

test('while the rows of nodes are locked, tokens can be looked up and changes get receipts', { skip }, async t => {
  const { url, storage, keys } = await worldOf(t, 200)
  const { key, keyAccessToken } = await keys.issue({ name: 'k' }, operator)
  const release = await holdLocks(t, url, 'select from nodes for update')
  const { receipt } = await keys.change(key.id, { description: 'new' }, operator)
  t.match(receipt, { nodes: 1, acknowledged: 0, leasesEnded: 1 })
  t.match(await keys.verify(keyAccessToken, { scopes: [], address: '::1' }), { ok: true })
  t.ok(storage.statistics().leaseRemainingMs !== null)
  await release()
})

test(
  'a change that was committed although its response was lost is acknowledged, and is applied only once',
  { skip },
  async t => {
    const { url, proxy, keys } = await worldOf(t)
    const { key } = await keys.issue({ name: 'k' }, operator)
    let lost = 0
    proxy.intercept((direction, text) => direction === 'down' && text.includes('COMMIT\0') && ++lost === 1)
    t.match(await keys.revoke(key.id, 'leaked', operator), { key: { revokedReason: 'leaked' }, receipt: {} })
    t.equal(lost >= 1, true)
    const entries = await execute(url, `select from audits where action = 'client_key.revoke'`)
    t.equal(entries.length, 1)
  }
)

test('a change whose commit never arrived is retried, and is applied only once', { skip }, async t => {
  const { url, proxy, keys } = await worldOf(t)
  const { key } = await keys.issue({ name: 'k' }, operator)
  let lost = 0
  proxy.intercept((direction, text) => direction === 'up' && text.includes('commit\0') && ++lost === 1)
  t.match(await keys.revoke(key.id, 'leaked', operator), { key: { revokedReason: 'leaked' }, receipt: {} })
  t.equal(lost >= 1, true)
  t.equal((await execute(url, `select from audits where action = 'client_key.revoke'`)).length, 1)
  t.equal((await execute(url, `select from client_key_changes where key_id = '${key.id}'`)).length, 2)
})

test('a change that hangs is cancelled, and if its commit was sent, its outcome is unknown', { skip }, async t => {
  const { proxy, keys } = await worldOf(t)
  const { key } = await keys.issue({ name: 'k' }, operator)
  proxy.intercept((direction, text) => {
    if (direction === 'up' && text.includes('commit\0')) proxy.hold('down')
    return false
  })
  await t.rejects(keys.revoke(key.id, null, operator), { code: 'OUTCOME_UNKNOWN' })
  proxy.hold('up')
  proxy.reset()
  await t.rejects(keys.revoke(key.id, null, operator), UNAVAILABLE, 'it cannot connect in time')
  proxy.intercept(() => false)
  for (const direction of ['up', 'down'] as const) proxy.release(direction)
  // Either the connection that was opened too late or another one is used.
  t.match(await keys.revoke(key.id, null, operator), { key: { revokedAt: Date } })
})

test(
  'a change that was not committed is refused if a rule refuses it when the change is retried',
  { skip },
  async t => {
    const { url, proxy, keys } = await worldOf(t)
    const other = await openStorage(url)
    t.teardown(other.close)
    const others = createKeyService({ store: other.keys, secret: newSecret() })
    await others.issue({ name: 'second' }, operator)
    let lose = (): void => {}
    const lost = new Promise<void>(resolve => {
      lose = resolve
    })
    proxy.intercept((direction, text) => {
      if (direction === 'down' || !text.includes('commit\0')) return false
      proxy.hold('up')
      lose()
      return true
    })
    const refused = t.rejects(keys.issue({ name: 'taken' }, operator), { code: 'CLIENT_KEY_NAME_TAKEN' })
    await lost
    await others.issue({ name: 'taken' }, operator)
    proxy.intercept(() => false)
    proxy.release('up')
    await refused
  }
)

test('a commit that is still in transit when its change is refused is never executed', { skip }, async t => {
  const { url, keys } = await worldOf(t)
  const other = await openStorage(url)
  t.teardown(other.close)
  const others = createKeyService({ store: other.keys, secret: newSecret() })
  const slow = await slowCommits(t, url)
  const storage = await openStorage(slow.url)
  t.teardown(storage.close)
  const refused = createKeyService({ store: storage.keys, secret: newSecret() }).issue({ name: 'taken' }, operator)
  await slow.kept
  const { key } = await others.issue({ name: 'taken' }, operator)
  slow.reset()
  await t.rejects(refused, { code: 'CLIENT_KEY_NAME_TAKEN' })
  await others.revoke(key.id, null, operator)
  await slow.deliver()
  t.equal((await keys.list({ namePrefix: 'taken', revoked: false }, { limit: 10 })).keys.length, 0)
})

test(
  'a change takes the global lock in the same round trip as its commit, and never holds it during another',
  { skip },
  async t => {
    const { proxy, keys } = await worldOf(t)
    const { key } = await keys.issue({ name: 'k' }, operator)
    const locking: string[] = []
    proxy.intercept((direction, text) => {
      if (direction === 'up' && /pg_advisory_xact_lock\(\d+, 2\)/.test(text)) locking.push(text)
      return false
    })
    await keys.change(key.id, { enabled: false }, operator)
    await keys.issue({ name: 'another' }, operator)
    await keys.revoke(key.id, null, operator)
    proxy.intercept(() => false)
    t.equal(locking.length, 3)
    for (const text of locking) t.match(text, /pg_advisory_xact_lock[^]*commit\0/)
  }
)

test(
  'concurrent changes to a key are applied one after another, each to the result of the previous one',
  { skip },
  async t => {
    const { url, keys } = await worldOf(t)
    const { key } = await keys.issue({ name: 'k' }, operator)
    const names = Array.from({ length: 20 }, (_, index) => `k${index}`)
    await Promise.all(names.map(async name => await keys.change(key.id, { name }, operator)))
    const entries = await execute(
      url,
      `select changes from audits where action = 'client_key.change' order by sequence`
    )
    const changes = entries.map(entry => JSON.parse((entry as { changes: string }).changes) as { name: object })
    t.equal(changes.length, 20)
    t.same(
      changes.slice(1).map(({ name }) => (name as { from: string }).from),
      changes.slice(0, -1).map(({ name }) => (name as { to: string }).to)
    )
  }
)

test('a change is retried if the data that it read changes before its commit', { skip }, async t => {
  const { keys, storage } = await worldOf(t)
  const { key } = await keys.issue({ name: 'k' }, operator)
  let runs = 0
  const { position } = await storage.keys.write(async tx => {
    const found = await tx.keys.find(key.id)
    if (++runs === 1) await keys.revoke(key.id, 'concurrent', operator)
    const { position } = await tx.keys.advanceRevision(key.id)
    if (found?.revokedAt === null) await tx.keys.update(key.id, { enabled: false })
    return { position }
  })
  t.match(await position, { epoch: Number })
  t.equal(runs, 2)
  t.match(await keys.find(key.id), { enabled: true, revokedReason: 'concurrent' })
})

test('concurrent requests with the same Idempotency-Key issue one key', { skip }, async t => {
  const { keys } = await worldOf(t)
  const request = (name: string) => ({ requester: 'env_1', idempotencyKey: 'again', request: name })
  const same = await Promise.all(
    [1, 2, 3, 4].map(async () => await keys.issue({ name: 'same' }, operator, request('same')))
  )
  t.equal(new Set(same.map(({ key }) => key.id)).size, 1)
  const others = await Promise.allSettled(
    ['a', 'b', 'c'].map(async name => await keys.issue({ name }, operator, { ...request(name), idempotencyKey: 'x' }))
  )
  const codes = others.map(other => (other.status === 'fulfilled' ? 'issued' : (other.reason as { code: string }).code))
  t.same(codes.sort(), ['IDEMPOTENCY_KEY_REUSED', 'IDEMPOTENCY_KEY_REUSED', 'issued'])
})

if (skip) tap.comment(skip)
