import { spawnSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { chownSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import pg from 'pg'
import tap, { test } from 'tap'
import type { Test } from 'tap'
import { openStorage } from '../../db/open.ts'
import type { StorageOptions } from '../../db/engine.ts'
import { bringUpToDate, createPool } from '../../db/postgres/connections.ts'
import { createKeyService } from '../../domain/keys/service.ts'
import { digestOf } from '../../domain/keys/token/token.ts'
import { startProxy } from '../cluster/proxy.ts'
import { eventually, newSecret, operator, required } from '../helper.ts'
import { execute, ownPostgres, postgresDatabase } from '../postgres.ts'
import type { PostgresServer } from '../postgres-server.ts'

const skip = (await postgresDatabase(tap)) === null

const newDatabase = async (t: Test): Promise<string> => required((await postgresDatabase(t)) ?? undefined, 'PostgreSQL')

const open = async (t: Test, url: string, options?: StorageOptions) => {
  const storage = await openStorage(url, options)
  t.teardown(storage.close)
  return storage
}

test('if eight nodes start at the same time, one of them creates the tables', { skip }, async t => {
  const url = await newDatabase(t)
  const storages = await Promise.all(Array.from({ length: 8 }, async () => await openStorage(url, { poolSize: 1 })))
  await Promise.all(
    storages.map(async ({ readiness }) => {
      await eventually(async () => (await readiness()).keys)
    })
  )
  const [{ migrations }] = (await execute(url, 'select count(*)::int as migrations from __drizzle_migrations')) as [
    { migrations: number }
  ]
  const files = await execute(url, 'select distinct hash from __drizzle_migrations')
  t.equal(migrations, files.length)
  await Promise.all(
    storages.map(async ({ close }) => {
      await close()
    })
  )
})

test('an open database reports its pool, its lease and its nodes', { skip }, async t => {
  const url = await newDatabase(t)
  const storage = await open(t, url, { name: 'one' })
  t.match(storage.statistics(), { epoch: 0, leaseRemainingMs: 0, pool: { total: Number, idle: Number, waiting: 0 } })
  t.same(await storage.nodes(), [])
  const keys = createKeyService({ store: storage.keys, secret: newSecret() })
  const { key, keyId } = await keys.issue({ name: 'k' }, operator)
  await storage.keyLookup.barrier()
  t.match(await storage.nodes(), [{ name: 'one', behind: 0, leaseMs: 2000 }])
  const { epoch, leaseRemainingMs } = storage.statistics()
  t.ok(epoch > 0)
  t.ok(leaseRemainingMs !== null && leaseRemainingMs <= 2000)
  t.equal((await storage.keyLookup.findByDigest(digestOf(keyId)))?.key.id, key.id)
  const receipt = await keys.revoke(key.id, null, operator)
  t.match(receipt, { receipt: { nodes: 1, acknowledged: 1, leasesEnded: 0 } })

  const other = await openStorage(url, { leaseMs: 0 })
  await other.keyLookup.barrier()
  t.match(await other.nodes(), [{ name: 'one' }, { leaseMs: 0 }])
  await other.close()
  t.match(await storage.nodes(), [{ name: 'one' }], 'a closed node is deregistered')
})

test(
  'a change waits until the lease of a silent node expires, and the node reads the change before it accepts tokens again',
  { skip },
  async t => {
    const url = await newDatabase(t)
    const proxy = await startProxy(t, url)
    const storage = await open(t, url)
    const cut = await open(t, proxy.url, { name: 'cut', leaseMs: 500 })
    const keys = createKeyService({ store: storage.keys, secret: newSecret() })
    const { key, keyId } = await keys.issue({ name: 'k' }, operator)
    await cut.keyLookup.barrier()
    proxy.hold('up')
    const { receipt } = await keys.revoke(key.id, null, operator)
    t.match(receipt, { nodes: 1, acknowledged: 0, leasesEnded: 1 })
    t.ok(receipt !== null && receipt.waitedMs >= 625, 'it waited at least 1.25 times the lease')
    // The change doesn't wait for the eviction.
    while ((await storage.nodes()).some(({ evictedAt }) => evictedAt === null));
    t.match(await storage.nodes(), [{ name: 'cut', evictedAt: Date, behind: 1 }])
    proxy.release('up')
    const passes = async (): Promise<boolean> =>
      await cut.keyLookup.barrier().then(
        () => true,
        () => false
      )
    while (!(await passes()));
    t.match((await cut.keyLookup.findByDigest(digestOf(keyId)))?.key.revokedAt, Date)
  }
)

test('key lookups fail with 503 if the database is unreachable', { skip }, async t => {
  const url = await newDatabase(t)
  const proxy = await startProxy(t, url)
  const { keyLookup, nodes, hasChange } = await open(t, proxy.url)
  t.equal(await keyLookup.findByDigest('0'.repeat(64)), null)
  t.equal(await keyLookup.findRevocation('0'.repeat(64)), null)
  await execute(
    url,
    `insert into environment_key_revocations (digest, revoked_at) values ('\\x${'0'.repeat(64)}', '2026-01-01T00:00:00.000Z')`
  )
  t.same(await keyLookup.findRevocation('0'.repeat(64)), new Date('2026-01-01'))
  proxy.intercept(() => true)
  await t.rejects(async () => await keyLookup.findByDigest('0'.repeat(64)), { code: 'SERVICE_UNAVAILABLE' })
  await t.rejects(keyLookup.barrier(), { code: 'LEASE_LOST' })
  await t.rejects(nodes(), { code: 'SERVICE_UNAVAILABLE' })
  await t.rejects(hasChange({ epoch: 1, nonce: randomUUID() }), { code: 'SERVICE_UNAVAILABLE' })
})

test("a version works with the next version's tables, and rejects those of a much newer version", { skip }, async t => {
  const url = await newDatabase(t)
  await bringUpToDate({ url })
  const newer = "insert into __drizzle_migrations (hash, created_at) values ('newer', 9e12)"
  await execute(url, newer)
  const storage = await open(t, url)
  const keys = createKeyService({ store: storage.keys, secret: newSecret() })
  t.match(await keys.issue({ name: 'k' }, operator), { key: { name: 'k' } })
  await execute(url, newer)
  await t.rejects(openStorage(url), { name: 'ConfigError', message: /a much newer version.+Nothing was changed/ })
})

test('a service that waits for migrations fails to start if its connection is lost', { skip }, async t => {
  const url = await newDatabase(t)
  const holder = new pg.Client({ connectionString: url })
  await holder.connect()
  await holder.query('select pg_advisory_lock(7216014, 1)')
  const opened = openStorage(url).catch((error: unknown) => error)
  const waiting = "select pid from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
  let rows: unknown[] = []
  while ((rows = await execute(url, waiting)).length === 0) await pause(5)
  await execute(url, `select pg_terminate_backend(${(rows[0] as { pid: number }).pid})`)
  t.match(await opened, { name: 'ConfigError', message: /terminating connection/ })
  await holder.end()
  await t.rejects(openStorage('postgres://postgres@127.0.0.1:1/x'), { name: 'ConfigError', message: /ECONNREFUSED/ })
})

/** Creates a certificate authority, and a certificate that is valid only for `localhost`. */
const certify = ({ folder, user }: PostgresServer): { cert: string; key: string; ca: string } => {
  const file = (name: string): string => join(folder, name)
  const openssl = (...args: string[]): void => {
    const { status, stderr } = spawnSync('openssl', args, { cwd: folder })
    if (status !== 0) throw new Error(`openssl failed: ${String(stderr)}`)
  }
  const ec = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2']
  openssl('req', '-x509', ...ec, '-subj', '/CN=authority', '-keyout', file('ca.key'), '-out', file('ca.pem'))
  openssl('req', ...ec, '-subj', '/CN=localhost', '-keyout', file('db.key'), '-out', file('db.csr'))
  writeFileSync(file('names'), 'subjectAltName=DNS:localhost')
  const signed = ['-CA', file('ca.pem'), '-CAkey', file('ca.key'), '-CAcreateserial', '-extfile', file('names')]
  openssl('x509', '-req', '-in', file('db.csr'), ...signed, '-days', '2', '-out', file('db.pem'))
  for (const name of ['db.key', 'db.pem']) {
    if (user.uid !== undefined && user.gid !== undefined) chownSync(file(name), user.uid, user.gid)
  }
  return { cert: file('db.pem'), key: file('db.key'), ca: file('ca.pem') }
}

test('sslmode has the same meaning as in libpq', { skip }, async t => {
  const server = await ownPostgres(t)
  if (server === null) return
  if (spawnSync('openssl', ['version']).status !== 0) {
    t.pass('skipped', { skip: 'openssl is not available' })
    return
  }
  const connect = async (host: string, mode: string, ca?: string): Promise<unknown> => {
    const url = `${server.url.replace('127.0.0.1', host)}?sslmode=${mode}`
    const text = 'select ssl from pg_stat_ssl where pid = pg_backend_pid()'
    const pool = createPool({ url, ca, poolSize: 1 })
    try {
      return (await pool.query<{ ssl: boolean }>(text)).rows[0]?.ssl
    } finally {
      await pool.end()
    }
  }
  await t.rejects(connect('localhost', 'require'), /does not support SSL/)
  const { cert, key, ca } = certify(server)
  await server.stop()
  await server.start({ ssl: 'on', ssl_cert_file: cert, ssl_key_file: key })

  t.equal(await connect('localhost', 'disable'), false)
  t.equal(await connect('127.0.0.1', 'require'), true, 'require does not verify the host name')
  t.equal(await connect('127.0.0.1', 'require', ca), true, 'if a CA is configured, require verifies the signature')
  t.equal(await connect('127.0.0.1', 'verify-ca', ca), true)
  t.equal(await connect('localhost', 'verify-full', ca), true)
  await t.rejects(connect('127.0.0.1', 'verify-full', ca), { code: 'ERR_TLS_CERT_ALTNAME_INVALID' })
  await t.rejects(connect('localhost', 'verify-full'), { code: /^(UNABLE_TO|SELF_SIGNED)/ })
  await t.rejects(
    connect('localhost', 'verify-ca', cert),
    { code: /^(UNABLE_TO|SELF_SIGNED)/ },
    'the certificate is signed by another CA'
  )
  await t.rejects(openStorage(`${server.url}?sslmode=verify-ca`), { name: 'ConfigError' }, 'verify-ca requires a CA')
  const url = `${server.url.replace('127.0.0.1', 'localhost')}?sslmode=verify-full`
  const storage = await open(t, url, { ca })
  await storage.keyLookup.barrier()
  t.equal((await storage.nodes()).length, 1)

  await server.stop()
  await server.start({ ssl: 'on', ssl_cert_file: cert, ssl_key_file: key, ssl_ca_file: ca })
  const pool = createPool({ url: `${url}&sslrootcert=${ca}&sslcert=${cert}&sslkey=${key}`, poolSize: 1 })
  const text = 'select client_dn from pg_stat_ssl where pid = pg_backend_pid()'
  t.same((await pool.query(text)).rows, [{ client_dn: '/CN=localhost' }], 'the client also has a certificate')
  await pool.end()
})

test('session settings are not sent through a pooler in transaction mode', { skip }, async t => {
  const url = await newDatabase(t)
  const storage = await open(t, url, { listenUrl: url })
  const settingOf = async (pool: pg.Pool): Promise<unknown> =>
    (await pool.query<{ setting: string }>("select current_setting('lock_timeout') as setting")).rows[0]?.setting
  for (const [options, setting] of [
    [{ url }, '5s'],
    [{ url, listenUrl: url }, '0']
  ] as const) {
    const pool = createPool(options)
    t.equal(await settingOf(pool), setting)
    await pool.end()
  }
  await storage.keyLookup.barrier()
  t.equal((await storage.nodes()).length, 1)
})
