import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises'
import { inspect } from 'node:util'
import pg from 'pg'
import tap, { test } from 'tap'
import type { Test } from 'tap'
import { closePool, createPool } from '../../db/postgres/connections.ts'
import { createDatabase, lock, LOCK_SPACE, LOCKS, query } from '../../db/postgres/database.ts'
import type { PostgresDatabase } from '../../db/postgres/database.ts'
import { underLock } from '../../db/postgres/locking.ts'
import { preparing } from '../../db/postgres/prepared.ts'
import { createPostgresTransactor } from '../../db/postgres/transactor.ts'
import { sql } from 'drizzle-orm'
import { startProxy } from '../cluster/proxy.ts'
import type { TransactorOf } from '../../domain/transaction.ts'
import { required, temporaryFolder } from '../helper.ts'
import { execute, postgresDatabase } from '../postgres.ts'

const skip = (await postgresDatabase(tap)) === null

/** Creates a table that contains one number, and a transactor that connects through a proxy. */
const createNumber = async (t: Test, poolSize?: number) => {
  const url = required((await postgresDatabase(t)) ?? undefined, 'PostgreSQL')
  await execute(url, 'create table numbers (n integer primary key); insert into numbers values (0)')
  const proxy = await startProxy(t, url)
  const pool = createPool({ url: proxy.url, poolSize })
  t.teardown(async () => {
    if (!pool.ending) await closePool(pool)
  })
  const db = createDatabase(pool)
  return {
    url,
    proxy,
    pool,
    db,
    ...createPostgresTransactor({
      pool,
      createReads: createDatabase,
      createTx: client => createDatabase(preparing(client))
    }),
    number: async () => ((await execute(url, 'select n from numbers')) as { n: number }[]).map(({ n }) => n)
  }
}

const increment = async (tx: PostgresDatabase): Promise<void> => {
  await query(tx, 'update numbers set n = n + 1')
}

test('a transaction whose connection is lost is retried, and the process keeps running', { skip }, async t => {
  const { proxy, write, number, pool } = await createNumber(t)
  let cuts = 0
  proxy.intercept((direction, text) => direction === 'up' && text.includes('update') && cuts++ < 2)
  await write(increment)
  t.same(await number(), [1])
  t.equal(cuts, 3)

  // Resets the connection while no query is pending, first inside a transaction, then outside of one.
  let attempts = 0
  await write(async tx => {
    await increment(tx)
    if (attempts++ > 0) return
    const lost = new Promise(resolve => tx.$client.once('error', resolve))
    proxy.reset()
    await lost
    await increment(tx)
  })
  t.same([attempts, await number()], [2, [2]])
  const gone = new Promise(resolve => pool.once('remove', resolve))
  proxy.reset()
  await gone
  await write(increment)
  t.same(await number(), [3])
})

test(
  'a transaction whose connection is lost during the commit is never retried, because its outcome is unknown',
  { skip },
  async t => {
    const { proxy, write, number } = await createNumber(t)
    let attempts = 0
    const work = async (tx: PostgresDatabase): Promise<void> => {
      attempts++
      await increment(tx)
    }
    proxy.intercept((direction, text) => direction === 'down' && text.includes('COMMIT'))
    await t.rejects(write(work), { code: 'OUTCOME_UNKNOWN' })
    t.same([attempts, await number()], [1, [1]], 'the reply to the commit was lost')
    proxy.intercept((direction, text) => direction === 'up' && text.includes('commit\0'))
    await t.rejects(write(work), { code: 'OUTCOME_UNKNOWN' })
    t.same([attempts, await number()], [2, [1]], 'the commit itself was lost')
  }
)

test('reads and writes fail with 503 if the database is unreachable for more than a second', { skip }, async t => {
  const { proxy, write, read } = await createNumber(t)
  proxy.intercept(() => true)
  await t.rejects(write(increment), { code: 'SERVICE_UNAVAILABLE' })
  await t.rejects(
    read(async db => await query(db, 'select n from numbers')),
    { code: 'SERVICE_UNAVAILABLE' }
  )
  await t.rejects(
    read(async db => await db.execute(sql`select n from numbers`)),
    { code: 'SERVICE_UNAVAILABLE' }
  )
  proxy.intercept(() => false)
  t.match(await read(async db => await query(db, 'select n from numbers')), { rows: [{ n: 0 }] })
})

test('prepared statements that are missing, or that a migration invalidated, are prepared again', { skip }, async t => {
  const { url, write } = await createNumber(t, 1)
  const numbers = async (tx: PostgresDatabase) => (await query(tx, 'select n from numbers where n >= $1', [0])).rows
  t.same(await write(numbers), [{ n: 0 }])
  await execute(url, 'alter table numbers alter n type text')
  await execute(url, 'alter table numbers alter n type bigint using n::bigint')
  t.same(await write(numbers), [{ n: '0' }])
  await write(async tx => {
    await query(tx, 'deallocate all')
  })
  t.same(await write(numbers), [{ n: '0' }])
})

type Read = TransactorOf<PostgresDatabase, PostgresDatabase>['read']

/** Starts a query that takes an hour, and aborts it as soon as the server executes it. */
const cancelReading = async (t: Test, url: string, read: Read): Promise<void> => {
  const asleep = `select 1 from pg_stat_activity where datname = current_database() and query ~ 'sleep' and
    state = 'active' and pid <> pg_backend_pid()`
  const isAsleep = async (): Promise<boolean> => (await execute(url, asleep)).length > 0
  const controller = new AbortController()
  const cancelled = t.rejects(
    read(
      async db => {
        // Disables the server's timeout, which would also end the query.
        await query(db, 'set statement_timeout = 0')
        await query(db, 'select pg_sleep(3600)')
      },
      { signal: controller.signal }
    ),
    { code: 'REQUEST_CANCELLED' }
  )
  while (!(await isAsleep())) await pause(5)
  controller.abort()
  await cancelled
  while (await isAsleep()) await pause(5)
}

test('an aborted query is cancelled, but no other query is', { skip }, async t => {
  const { url, read } = await createNumber(t, 1)
  await cancelReading(t, url, read)
  const number = async (db: PostgresDatabase) => (await query(db, 'select n from numbers')).rows
  await t.rejects(
    read(number, { signal: AbortSignal.abort() }),
    { code: 'REQUEST_CANCELLED' },
    'the query does not start'
  )
  const { signal } = new AbortController()
  t.same(await read(number, { signal }), [{ n: 0 }])
  const failing = read(
    async () => {
      throw new Error('a rule')
    },
    { signal }
  )
  await t.rejects(failing, { message: 'a rule' })
})

test("an aborted query is abandoned if the server can't receive the cancel request", { skip }, async t => {
  const { url, proxy, read } = await createNumber(t, 1)
  const controller = new AbortController()
  const reading = read(async db => await query(db, 'select pg_sleep(3600)'), { signal: controller.signal })
  const given = t.rejects(reading, { code: 'REQUEST_CANCELLED' })
  while ((await execute(url, "select 1 from pg_stat_activity where query ~ '^select pg_sleep'")).length === 0);
  proxy.refuse()
  controller.abort()
  await given
})

test('an aborted query is cancelled over a Unix domain socket too', { skip }, async t => {
  const url = required((await postgresDatabase(t)) ?? undefined, 'PostgreSQL')
  const { hostname, port, username, password, pathname } = new URL(url)
  const folder = temporaryFolder(t)
  const relay = createServer(socket => {
    const database = connect(Number(port === '' ? 5432 : port), hostname)
    socket.on('error', () => {}).pipe(database)
    database.on('error', () => {}).pipe(socket)
  })
  await once(relay.listen(join(folder, '.s.PGSQL.5432')), 'listening')
  t.teardown(() => relay.close())
  const pool = createPool({
    url: `postgres://${pathname}?${String(new URLSearchParams({ host: folder, user: username, password }))}`
  })
  t.teardown(() => pool.end())
  const { read } = createPostgresTransactor({ pool, createReads: createDatabase, createTx: createDatabase })
  await cancelReading(t, url, read)
})

test('a transaction that keeps failing gets 503, and does not delay others', { skip }, async t => {
  const { write, number } = await createNumber(t)
  let attempts = 0
  await t.rejects(
    write(async tx => {
      attempts++
      await query(tx, 'insert into numbers values (0)')
    }),
    { code: 'SERVICE_UNAVAILABLE' }
  )
  t.equal(attempts, 11)
  await Promise.all(
    Array.from({ length: 20 }, async () => {
      await write(increment, { mayBeLost: true })
    })
  )
  t.same(await number(), [20])
})

test('a failed transaction is rolled back, and its connection is reused', { skip }, async t => {
  const { write, read, number } = await createNumber(t, 1)
  const pidOf = async (db: PostgresDatabase) => (await query(db, 'select pg_backend_pid() as pid')).rows[0]?.['pid']
  const pid = await read(pidOf)
  await t.rejects(
    write(async tx => {
      await increment(tx)
      throw new Error('a rule')
    }),
    { message: 'a rule' }
  )
  await t.rejects(
    write(async tx => await query(tx, 'select 1/0')),
    { code: '22012' }
  )
  await t.rejects(
    write(async tx => {
      await query(tx, 'select 1/0').catch(() => {})
    }),
    { message: 'the transaction continued after a statement had failed' }
  )
  t.same(await number(), [0])
  t.equal(await write(pidOf), pid)
  await t.rejects(
    read(async db => await query(db, 'select 1/0')),
    { code: '22012' }
  )
})

test('a connection that cannot roll back is closed', { skip }, async t => {
  const { proxy, write, number } = await createNumber(t, 1)
  proxy.intercept((direction, text) => direction === 'up' && text.includes('rollback'))
  await t.rejects(
    write(async tx => {
      await increment(tx)
      throw new Error('a rule')
    }),
    { message: 'a rule' }
  )
  await write(increment)
  t.same(await number(), [1])
})

test("a stopped node's transaction blocks others only briefly", { skip }, async t => {
  const { url, write, number } = await createNumber(t)
  let meet = (): void => {}
  const isOver = new Promise<void>(resolve => {
    meet = resolve
  })
  let attempts = 0
  const stopped = write(async tx => {
    await increment(tx)
    attempts++
    await isOver
    await increment(tx)
  })
  const waiting = "select 1 from pg_stat_activity where datname = current_database() and state = 'idle in transaction'"
  while ((await execute(url, waiting)).length === 0) await pause(5)
  const other = new pg.Client({ connectionString: url })
  await other.connect()
  await other.query('update numbers set n = n + 1')
  await other.end()
  meet()
  await t.rejects(stopped, { code: 'SERVICE_UNAVAILABLE' }, 'the time for retries is used up')
  t.same([attempts, await number()], [1, [1]])
})

test('a database that refuses all connections causes a 503', { skip }, async t => {
  const { url, read, write } = await createNumber(t)
  await write(increment)
  const { pathname } = new URL(url)
  const server = Object.assign(new URL(url), { pathname: '/postgres' }).href
  await execute(server, `alter database ${pathname.slice(1)} allow_connections false`)
  await execute(server, `select pg_terminate_backend(pid) from pg_stat_activity where datname = '${pathname.slice(1)}'`)
  await t.rejects(write(increment), { code: 'SERVICE_UNAVAILABLE' })
  await t.rejects(read(increment), { code: 'SERVICE_UNAVAILABLE' })
})

test("a transaction that can't take a lock fails with the lock's error", { skip }, async t => {
  const { url, write, number } = await createNumber(t)
  const holder = new pg.Client({ connectionString: url })
  await holder.connect()
  t.teardown(() => holder.end())
  await holder.query(`select pg_advisory_lock(${LOCK_SPACE}, ${LOCKS.keyChanges})`)
  const work = write(async tx => {
    await query(tx, 'set local lock_timeout = 1')
    await underLock(lock(tx, 'keyChanges'), increment(tx))
  })
  await t.rejects(work, { code: 'SERVICE_UNAVAILABLE', cause: { code: '55P03' } })
  t.same(await number(), [0])
})

test("no error contains a statement's values", { skip }, async t => {
  const { write, read, proxy } = await createNumber(t)
  const secret = 'ada@example.com'
  const failing = async (work: Promise<unknown>) => inspect(await work.catch((error: unknown) => error), { depth: 9 })
  const taken = await failing(
    write(async tx => await tx.execute(sql`insert into numbers select 0 where ${secret} <> ''`))
  )
  t.match(taken, /duplicate key/)
  t.notMatch(taken, secret)
  const wrong = await failing(read(async db => await db.execute(sql`select nothing from numbers where ${secret} = ''`)))
  t.match(wrong, /column "nothing" does not exist/)
  t.notMatch(wrong, secret)
  proxy.intercept((direction, text) => direction === 'up' && text.includes(secret))
  t.notMatch(await failing(read(async db => await db.execute(sql`select ${secret}`))), secret)
})

test('a pool can be closed even if its database does not reply', { skip }, async t => {
  const { proxy, db, pool } = await createNumber(t)
  await query(db, 'select 1')
  proxy.hold('up')
  const pending = query(db, 'select 1').catch((error: unknown) => error)
  await nextTurn()
  await closePool(pool)
  t.pass('the pool is closed')
  proxy.release('up')
  t.match(await pending, { rowCount: 1 }, 'the pending query still gets its reply')
})
