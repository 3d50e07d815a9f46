import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { readMigrationFiles } from 'drizzle-orm/migrator'
import tap, { test } from 'tap'
import type { Test } from 'tap'
import { openStorage } from '../../db/open.ts'
import { Database } from '../../db/sqlite/driver.ts'
import type { Connection } from '../../db/sqlite/driver.ts'
import { pathOf } from '../../paths.ts'
import { required, temporaryFolder } from '../helper.ts'
import { execute, postgresDatabase } from '../postgres.ts'

interface Engine {
  readonly name: string
  readonly skip: boolean
  /** Creates a database without tables, and returns its URL. */
  readonly empty: (t: Test) => Promise<string>
  /** Executes one or more statements. Returns the rows if there is only one statement. */
  readonly sql: (url: string, text: string) => Promise<unknown[]>
  /** A query that returns all tables and columns. */
  readonly tables: string
  /** The table in which the migrator records the applied migrations. */
  readonly migrations: string
}

const inFile = <T>(url: string, work: (db: Connection) => T): T => {
  const db = new Database(url.slice('file:'.length))
  try {
    return work(db)
  } finally {
    db.close()
  }
}

const ENGINES: readonly Engine[] = [
  {
    name: 'sqlite',
    skip: false,
    empty: async t => `file:${join(temporaryFolder(t), 'test.db')}`,
    sql: async (url, text) =>
      inFile(url, db => {
        if (/^select/.test(text)) return db.prepare(text).all()
        db.exec(text)
        return []
      }),
    tables: `select t.name as name, c.name as "column", c.type, c."notnull", c.pk
      from sqlite_schema t join pragma_table_info(t.name) c order by t.name, c.cid`,
    migrations: '__drizzle_migrations'
  },
  {
    name: 'postgres',
    skip: (await postgresDatabase(tap)) === null,
    empty: async t => required((await postgresDatabase(t)) ?? undefined, 'PostgreSQL'),
    sql: execute,
    tables: `select table_name, column_name, data_type, is_nullable, collation_name from information_schema.columns
      where table_schema = 'public' order by table_name, ordinal_position`,
    migrations: 'drizzle.__drizzle_migrations'
  }
]

const NOT_NEW = {
  name: 'ConfigError',
  message: /can't be opened: it already has tables, but is not marked as sample data.*Nothing was changed\.$/
}

const isSample = async (url: string, asSample = false): Promise<boolean> => {
  const storage = await openStorage(url, { asSample })
  await storage.close()
  return storage.isSample
}

for (const { name, skip, empty, sql, tables, migrations } of ENGINES) {
  test(`${name}: only a database that was opened as sample data is marked, and it stays marked`, { skip }, async t => {
    const url = await empty(t)
    t.ok(await isSample(url, true))
    t.ok(await isSample(url))
    t.ok(await isSample(url, true))
    const at = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/
    t.match(await sql(url, 'select * from database_marks'), [{ name: 'sample', marked_at: at }])
    const other = await empty(t)
    t.notOk(await isSample(other))
    t.same(await sql(other, 'select * from database_marks'), [])
    t.same(await sql(url, tables), await sql(other, tables), 'the tables are the same')
  })

  test(`${name}: a database with tables is never marked, even if they are empty`, { skip }, async t => {
    for (const prepare of [isSample, async (url: string) => await sql(url, 'create table mine (x text)')]) {
      const url = await empty(t)
      await prepare(url)
      const before = await sql(url, tables)
      await t.rejects(openStorage(url, { asSample: true }), NOT_NEW)
      t.same(await sql(url, tables), before)
      t.notOk(await isSample(url))
    }
  })

  test(`${name}: a database stays marked if the process ends right after marking it`, { skip }, async t => {
    const url = await empty(t)
    await sql(
      url,
      `create table database_marks (name text primary key not null, marked_at text not null);
      insert into database_marks values ('sample', '2026-01-01T00:00:00.000Z')`
    )
    t.ok(await isSample(url))
    t.ok(await isSample(url, true))
  })

  test(
    `${name}: if a service starts on a database while sample data is being loaded into it, only one of the two succeeds`,
    { skip },
    async t => {
      for (let round = 0; round < 5; round++) {
        const url = await empty(t)
        const [service, sampled] = await Promise.allSettled([isSample(url), isSample(url, true)])
        t.equal(service.status, 'fulfilled')
        t.equal(service.status === 'fulfilled' && service.value, sampled.status === 'fulfilled')
      }
    }
  )

  test(`${name}: sample data of an earlier version, whose password was published, is marked`, { skip }, async t => {
    const folder = pathOf(`db/${name}/migrations`)
    const all = readMigrationFiles({ migrationsFolder: folder })
    const earlier = all.slice(
      0,
      all.findIndex(migration => migration.sql.some(text => text.includes('database_marks')))
    )
    const entry = (action: string): string =>
      `insert into audits values (1, '2026-01-05T09:00:00.000Z', 'cli', '0', 'x', '${action}', 's', 's', '{}', null, null, '0', 'h')`
    for (const action of ['sample.load', 'user.create']) {
      const url = await empty(t)
      for (const statement of earlier.flatMap(migration => migration.sql)) await sql(url, statement)
      if (name === 'postgres') await sql(url, 'create schema drizzle')
      await sql(url, `create table ${migrations} (id serial primary key, hash text not null, created_at bigint)`)
      for (const { hash, folderMillis } of earlier) {
        await sql(url, `insert into ${migrations} (hash, created_at) values ('${hash}', ${folderMillis})`)
      }
      await sql(url, entry(action))
      t.equal(await isSample(url), action === 'sample.load', action)
    }
  })
}

test("sqlite: another program's file is left unchanged", async t => {
  const path = join(temporaryFolder(t), 'other.db')
  inFile(`file:${path}`, db => db.exec('create table notes (x); insert into notes values (1)'))
  const before = readFileSync(path)
  await t.rejects(openStorage(`file:${path}`, { asSample: true }), NOT_NEW)
  t.ok(readFileSync(path).equals(before))
})
