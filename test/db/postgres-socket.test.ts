import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { pipeline } from 'node:stream'
import pg from 'pg'
import tap, { test } from 'tap'
import type { Test } from 'tap'
import { openStorage } from '../../db/open.ts'
import { createPool } from '../../db/postgres/connections.ts'
import { systemUser } from '../../db/postgres/settings.ts'
import { READY } from '../../domain/readiness.ts'
import { shownUrl } from '../../net/database-url.ts'
import { required, temporaryFolder } from '../helper.ts'
import { postgresDatabase } from '../postgres.ts'

const skip = (await postgresDatabase(tap)) === null

/** Creates a socket that is connected to a database's server, and returns its folder. */
const createSocket = async (t: Test, server: URL): Promise<string> => {
  const folder = temporaryFolder(t)
  const relay = createServer(socket => {
    const there = connect(Number(server.port === '' ? 5432 : server.port), server.hostname)
    pipeline(socket, there, socket, () => {})
  }).listen(join(folder, '.s.PGSQL.5432'))
  await once(relay, 'listening')
  t.teardown(() => relay.close())
  return folder
}

test('a URL may contain a socket, as in libpq, and is shown without its password', { skip }, async t => {
  const server = new URL(required((await postgresDatabase(t)) ?? undefined, 'PostgreSQL'))
  const folder = await createSocket(t, server)
  const query = `host=${encodeURIComponent(folder)}`
  for (const url of [
    `postgres://${server.username}@${server.pathname}?${query}`,
    `postgres://${server.pathname}?sslmode=disable&user=${server.username}&${query}`
  ]) {
    const storage = await openStorage(url)
    t.same(await storage.readiness(), READY)
    await storage.close()
  }
  t.equal(shownUrl(`postgres://ada:hunter2@/d?${query}`), `postgres://ada@/d?host=${folder}`)
})

/** Creates a role that can log in, if it doesn't exist. */
const createRole = async (t: Test, url: string, name: string): Promise<void> => {
  const execute = async (statement: string): Promise<unknown[]> => {
    const client = new pg.Client({ connectionString: url })
    await client.connect()
    try {
      return (await client.query(statement)).rows
    } finally {
      await client.end()
    }
  }
  if ((await execute(`select from pg_roles where rolname = '${name}'`)).length > 0) return
  await execute(`create role "${name}" login`)
  t.teardown(async () => await execute(`drop role "${name}"`))
}

test('without a user in the URL, PGUSER or the operating system user is used', { skip }, async t => {
  const url = required((await postgresDatabase(t)) ?? undefined, 'PostgreSQL')
  const server = new URL(url)
  const folder = await createSocket(t, server)
  const name = required(systemUser(), 'the name of the user')
  await createRole(t, url, name)
  // The driver reads this default from USER, and uses it if neither the URL nor PGUSER specifies a user.
  pg.defaults.user = 'nobody-has-this-name'
  const before = process.env['PGUSER']
  t.teardown(() => {
    process.env['PGUSER'] = before
    if (before === undefined) delete process.env['PGUSER']
  })
  const userOf = async (query: string): Promise<unknown> => {
    const pool = createPool({ url: `postgres://${server.pathname}?host=${folder}${query}`, poolSize: 1 })
    try {
      return (await pool.query<{ name: string }>('select current_user as name')).rows[0]?.name
    } finally {
      await pool.end()
    }
  }
  delete process.env['PGUSER']
  t.equal(await userOf(''), name)
  t.equal(await userOf(`&user=${server.username}`), server.username)
  process.env['PGUSER'] = server.username
  t.equal(await userOf(''), server.username)
})

test('if the operating system user has no name, the choice is left to the driver', async t => {
  t.equal(
    systemUser(() => {
      throw new Error('the user has no entry in /etc/passwd')
    }),
    undefined
  )
})
