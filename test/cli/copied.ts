import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import type { Socket } from 'node:net'
import { join } from 'node:path'
import pg from 'pg'
import type { Test } from 'tap'
import { createServer as createService } from '../../app.ts'
import { bringUpToDate } from '../../db/postgres/connections.ts'
import { COPY_TABLES } from '../../db/postgres/copy/tables.ts'
import { Database } from '../../db/sqlite/driver.ts'
import type { Connection } from '../../db/sqlite/driver.ts'
import { required, newSecret, operator, SAMPLE_PASSWORD, temporaryFolder, world } from '../helper.ts'
import type { World } from '../helper.ts'
import { execute, postgresDatabase } from '../postgres.ts'
import { command } from './terminal.ts'
import type { Ended } from './terminal.ts'

/** Creates a PostgreSQL database without tables, and drops it when the test ends. Throws if there is no server. */
export const emptyTarget = async (t: Test): Promise<string> =>
  required((await postgresDatabase(t)) ?? undefined, 'PostgreSQL')

/** Opens an SQLite database for as long as `work` runs. */
export const inSqlite = <T>(url: string, work: (db: Connection) => T): T => {
  const db = new Database(url.slice('file:'.length))
  try {
    return work(db)
  } finally {
    db.close()
  }
}

/** Returns the URL of a new SQLite database that has tables and isn't open in any process. */
export const emptySource = async (t: Test): Promise<string> => {
  const url = `file:${join(temporaryFolder(t), 'source.db')}`
  t.equal((await command(t, 'db:migrate', { env: { DATABASE_URL: url } })).code, 0)
  return url
}

export const KEYS = 2500

/** Does the same as `emptySource`, and adds thousands of keys with one token each, which fill more than one batch. */
export const keySource = async (t: Test): Promise<string> => {
  const url = await emptySource(t)
  inSqlite(url, db =>
    db.exec(`
      insert into client_keys (id, name, scopes, enabled, allowed_ips, metadata, created_at, created_by)
        with recursive n (i) as (select 1 union all select i + 1 from n where i < ${KEYS})
        select 'key-' || i, 'key ' || i, '["*"]', i % 2, '[]', '{}', '2026-01-01T00:00:00.000Z', '{}' from n;
      insert into client_key_tokens (digest, client_key, generation, hint, created_at)
        select printf('%064x', row * 104729 % 3571), row, '0a0b0c0d', 'abcd', created_at from client_keys`)
  )
  return url
}

/** Runs `db copy`. */
export const copy = async (t: Test, source: string, to: string, isTTY = false): Promise<Ended> =>
  await command(t, 'db:copy', { env: { DATABASE_URL: source }, args: ['--to', to], isTTY })

/** Returns all rows of all copied tables, with their values as strings. */
export const rowsOfSqlite = (url: string): Record<string, unknown> =>
  inSqlite(url, db =>
    Object.fromEntries(
      COPY_TABLES.map(({ name, columns, key }) => {
        const text = `select ${columns.map(({ name }) => `"${name}"`).join()} from ${name} order by ${key.join()}`
        const rows = db.prepare<[], unknown[]>(text).raw().safeIntegers().all()
        return [name, rows.map(row => row.map(value => (typeof value === 'bigint' ? String(value) : value)))]
      })
    )
  )

const asText = (value: unknown): unknown => {
  if (value instanceof Buffer) return value.toString('hex')
  return typeof value === 'boolean' ? String(Number(value)) : value
}

/** Does the same as `rowsOfSqlite`, for PostgreSQL. */
export const rowsOfPostgres = async (url: string): Promise<Record<string, unknown>> => {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  const found: Record<string, unknown> = {}
  for (const { name, columns, key } of COPY_TABLES) {
    const text = `select ${columns.map(({ name }) => `"${name}"`).join()} from ${name} order by ${key.join()}`
    const { rows } = await client.query<unknown[]>({ text, rowMode: 'array' })
    found[name] = rows.map(row => row.map(asText))
  }
  await client.end()
  return found
}

/** Starts a service with another database, but with the same secret as an existing service. */
export const serve = async (t: Test, { env }: World, url: string): Promise<World['fastify']> => {
  const fastify = await createService({ ...env, DATABASE_URL: url })
  t.teardown(async () => {
    await fastify.close()
  })
  return fastify
}

/** Creates a service, uses it and stops it. Returns its clients' credentials. */
export const usedService = async (t: Test) => {
  const made = await world(t, { CLIENT_SECRET_PREVIOUS: newSecret() })
  const { call, fastify } = made
  const issue = async (name: string): Promise<{ id: string; token: string }> => {
    const { json } = await call(
      'POST',
      '/client_keys',
      { name, owner: `customer:${name}` },
      { 'idempotency-key': `${name}-attempt` }
    )
    return { id: String(json.id), token: String(json.key_access_token) }
  }
  const good = await issue('billing')
  const revoked = await issue('gone')
  await call('POST', `/client_keys/${revoked.id}/revoke`, { reason: 'left “us” 🦉' })
  const scopes = [{ name: 'orders:read', description: 'Bestellungen „lesen“ 🦉' }]
  t.equal((await call('POST', '/services', { name: 'orders', scopes })).status, 201)
  await call('GET', '/apps', undefined, { authorization: `Bearer ${good.token}` })
  const panels = { text: 'ä\u2028𝕏\u{10FFFF}👩‍👩‍👧'.repeat(20_000), zero: '\\u0000 is an escape', lone: '\ud800' }
  const { json } = await call('GET', '/apps')
  const { name } = required((json as { name: string }[])[0], 'an app')
  // The API rejects a lone surrogate, but older versions stored it as an escape sequence.
  await fastify.apps.update(name, { panels: JSON.stringify(panels) }, operator)
  const login = { email: 'ada@example.com', password: SAMPLE_PASSWORD }
  const signedIn = await fastify.inject({ method: 'POST', url: '/auth/sign_in', payload: login })
  t.equal(signedIn.statusCode, 200)
  await fastify.close()
  return { made, good, revoked, login, session: String(signedIn.headers['authorization']) }
}

/** Creates a target with tables. Inserts of rows for which `condition` is true wait until `go` is called. */
export const blockingTarget = async (t: Test, table: string, condition: string) => {
  const url = await emptyTarget(t)
  await bringUpToDate({ url })
  await execute(
    url,
    `create function wait_here() returns trigger language plpgsql as $$
    begin if ${condition} then perform pg_advisory_xact_lock(42); end if; return new; end $$;
    create trigger wait_here before insert on ${table} for each row execute function wait_here()`
  )
  const holder = new pg.Client({ connectionString: url })
  await holder.connect()
  await holder.query('select pg_advisory_lock(42)')
  return {
    url,
    go: async (): Promise<void> => {
      await holder.end()
    },
    waits: async () => await blockedProcess(url)
  }
}

/** Waits until a process is waiting for a lock in the database, and returns its process id on the server. */
export const blockedProcess = async (url: string): Promise<number> => {
  const text = `select pid from pg_locks where not granted
    and database = (select oid from pg_database where datname = current_database())`
  for (;;) {
    const [waiting] = (await execute(url, text)) as { pid: number }[]
    if (waiting !== undefined) return waiting.pid
  }
}

/** Starts a proxy for a database. `cut` closes its connections. */
export const breakableProxy = async (t: Test, url: string): Promise<{ url: string; cut: () => void }> => {
  const sockets = new Set<Socket>()
  const { hostname, port } = new URL(url)
  const server = createServer(socket => {
    const there = connect(Number(port === '' ? 5432 : port), hostname)
    for (const one of [socket, there]) sockets.add(one.on('error', () => {}))
    socket.pipe(there).pipe(socket)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const through = new URL(url)
  through.host = `127.0.0.1:${(server.address() as { port: number }).port}`
  return {
    url: through.href,
    cut: () => {
      for (const socket of sockets) socket.destroy()
    }
  }
}
