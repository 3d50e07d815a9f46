import tap, { test } from 'tap'
import { readMigrationFiles } from 'drizzle-orm/migrator'
import { openStorage } from '../../db/open.ts'
import type { Storage } from '../../db/storage.ts'
import { pathOf } from '../../paths.ts'
import { execute, postgresDatabase } from '../postgres.ts'
import {
  changeKeys,
  inSchema,
  grantNodePrivileges,
  newDatabase,
  newOwner,
  newRole,
  open,
  refusalOf,
  schemasOf
} from '../roles.ts'

const skip = (await postgresDatabase(tap)) === null

const namesOf = async (storage: Storage): Promise<string[]> =>
  (await storage.read(async ({ keys }) => await keys.page({}, { limit: 10, at: new Date() }))).map(({ name }) => name)

/** The number of tables that the service has, including the migrations table. */
const TABLES = 23

test('a service can start with a role that may only create tables in its schema', { skip }, async t => {
  const url = await newDatabase(t)
  const owner = await newOwner(t, url)
  await changeKeys(await open(t, owner.url))
  await changeKeys(await open(t, owner.url), 'after a second start')
  t.same(await schemasOf(url), { [owner.name]: TABLES })
})

test('a service can start in public with a role that may only create tables there', { skip }, async t => {
  const url = await newDatabase(t)
  const owner = await newRole(t, url)
  await execute(url, `grant create on schema public to ${owner.name}`)
  await changeKeys(await open(t, owner.url))
  t.same(await schemasOf(url), { public: TABLES })
})

test('search_path selects the schema, whether it is set in the URL or for the role', { skip }, async t => {
  const url = await newDatabase(t)
  const [mine, other] = [await newOwner(t, url), await newOwner(t, url)]
  const byRole = await newRole(t, url)
  await execute(
    url,
    `grant ${other.name} to ${byRole.name};
    alter role ${byRole.name} in database ${new URL(url).pathname.slice(1)} set search_path = ${other.name}, public`
  )
  const inPublic = await open(t, url)
  const byUrl = await open(t, inSchema(url, `${mine.name},public`))
  const bySetting = await open(t, byRole.url)
  const all = [inPublic, byUrl, bySetting]
  await Promise.all(
    all.map(async (storage, index) => {
      for (let change = 0; change < 5; change++) await changeKeys(storage, `of ${index}`)
    })
  )
  for (const [index, storage] of all.entries()) t.same(new Set(await namesOf(storage)), new Set([`of ${index}`]))
  for (const storage of all) t.match(await storage.nodes(), [{ behind: 0 }])
  t.same(await schemasOf(url), { public: TABLES, [mine.name]: TABLES, [other.name]: TABLES })
})

test(
  'sample data can be loaded into a schema next to others with tables, and only that schema is marked',
  { skip },
  async t => {
    const url = await newDatabase(t)
    const owner = await newOwner(t, url)
    t.notOk((await open(t, url)).isSample)
    const selecting = inSchema(url, `${owner.name},public`)
    t.ok((await open(t, selecting, { asSample: true })).isSample)
    t.notOk((await open(t, url)).isSample)
    await t.rejects(openStorage(url, { asSample: true }), { message: /is not marked as sample data/ })
  }
)

test('an incomplete copy prevents only the use of its own schema', { skip }, async t => {
  const url = await newDatabase(t)
  const owner = await newOwner(t, url)
  const selecting = inSchema(url, `${owner.name},public`)
  await open(t, selecting)
  await execute(url, 'create table copy_progress (name text)')
  await open(t, selecting)
  await t.rejects(openStorage(url), { message: /a copy into it is incomplete/ })
})

const RECORDS = 'create table __drizzle_migrations (id serial primary key, hash text not null, created_at bigint)'

test('a database keeps the table in which an earlier version recorded its migrations', { skip }, async t => {
  const url = await newDatabase(t)
  const owner = await newRole(t, url)
  const earlier = readMigrationFiles({ migrationsFolder: pathOf('db/postgres/migrations') }).slice(0, 2)
  await execute(
    url,
    `grant create on schema public to ${owner.name}; create schema drizzle authorization ${owner.name}`
  )
  for (const statement of earlier.flatMap(({ sql }) => sql)) await execute(owner.url, statement)
  await execute(inSchema(owner.url, 'drizzle'), RECORDS)
  for (const { hash, folderMillis } of earlier) {
    await execute(
      owner.url,
      `insert into drizzle.__drizzle_migrations (hash, created_at) values ('${hash}', ${folderMillis})`
    )
  }
  await changeKeys(await open(t, owner.url))
  t.match(await execute(url, 'select count(*)::int as migrations from drizzle.__drizzle_migrations'), [
    { migrations: 3 }
  ])
  const schemas = { drizzle: 1, public: TABLES - 1 }
  t.same(await schemasOf(url), schemas)

  // A node of the earlier version that is still running does this as the owner.
  await execute(
    owner.url,
    `create table client_key_usage_20260131 (like client_key_usage including all);
    alter table client_key_usage attach partition client_key_usage_20260131 for values from ('2026-01-31') to ('2026-02-01');
    select make_usage_day('2026-02-01');
    drop table if exists client_key_usage_20260201`
  )
  const partitions = "select relname from pg_class where relname like 'client_key_usage_2%' and relkind = 'r'"
  t.same(await execute(url, partitions), [{ relname: 'client_key_usage_20260131' }])
  await execute(owner.url, "select drop_usage_days('2026-02-01')")
  t.same(await execute(url, partitions), [])

  const server = await newRole(t, url)
  t.match(await refusalOf(server.url), /privileges that it needs on .*"drizzle"\.__drizzle_migrations/)
  await grantNodePrivileges(owner.url, server)
  await changeKeys(await open(t, server.url), 'as the role that serves')

  const other = await newOwner(t, url)
  await changeKeys(await open(t, other.url))
  t.same(await schemasOf(url), { ...schemas, [other.name]: TABLES })
})
