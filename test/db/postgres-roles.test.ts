import tap, { test } from 'tap'
import type { Test } from 'tap'
import { readMigrationFiles } from 'drizzle-orm/migrator'
import { openStorage } from '../../db/open.ts'
import type { StorageOptions } from '../../db/engine.ts'
import type { Storage } from '../../db/storage.ts'
import { createKeyService } from '../../domain/keys/service.ts'
import { pathOf } from '../../paths.ts'
import { at, need, newSecret, operator } from '../helper.ts'
import { connectDirectly } from '../contract/engines.ts'
import { execute, postgresDatabase } from '../postgres.ts'
import { inSchema, letServe, newOwner, newRole } from '../roles.ts'

const skip = (await postgresDatabase(tap)) === null

const newDatabase = async (t: Test): Promise<string> => need((await postgresDatabase(t)) ?? undefined, 'PostgreSQL')

const open = async (t: Test, url: string, options?: StorageOptions): Promise<Storage> => {
  const storage = await openStorage(url, options)
  t.teardown(storage.close)
  return storage
}

/** Issues a key and revokes it; each node must obey. */
const changeKeys = async (storage: Storage, name = 'k'): Promise<void> => {
  await storage.keyLookup.barrier()
  const keys = createKeyService({ store: storage, secret: newSecret() })
  const { key } = await keys.issue({ name }, operator)
  await keys.revoke(key.id, null, operator)
}

const namesOf = async (storage: Storage): Promise<string[]> =>
  (await storage.read(async ({ keys }) => await keys.page({}, { limit: 10, at: new Date() }))).map(({ name }) => name)

const SCHEMAS = `
  select nspname as schema, count(*)::int as tables from pg_class join pg_namespace on pg_namespace.oid = relnamespace
  where relkind in ('r', 'p') and nspname !~ '^pg_' and nspname <> 'information_schema' group by nspname order by nspname
`

const TABLES = 23

test('a role that may only create tables in its schema starts the service', { skip }, async t => {
  const url = await newDatabase(t)
  const owner = await newOwner(t, url)
  await changeKeys(await open(t, owner.url))
  await changeKeys(await open(t, owner.url), 'after a second start')
  t.same(await execute(url, SCHEMAS), [{ schema: owner.name, tables: TABLES }])
})

test('a role that may only create tables in public starts the service there', { skip }, async t => {
  const url = await newDatabase(t)
  const owner = await newRole(t, url)
  await execute(url, `grant create on schema public to ${owner.name}`)
  await changeKeys(await open(t, owner.url))
  t.same(await execute(url, SCHEMAS), [{ schema: 'public', tables: TABLES }])
})

test('search_path selects the schema, by the URL or by a setting of the role', { skip }, async t => {
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
  const schemas = (await execute(url, SCHEMAS)) as { schema: string; tables: number }[]
  t.same(
    new Map(schemas.map(({ schema, tables }) => [schema, tables])),
    new Map(['public', mine.name, other.name].map(schema => [schema, TABLES]))
  )
})

test(
  'a schema beside the tables of others takes sample data, and its mark is of no other schema',
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

test('a copy that is not complete keeps its own schema closed, and no other', { skip }, async t => {
  const url = await newDatabase(t)
  const owner = await newOwner(t, url)
  const selecting = inSchema(url, `${owner.name},public`)
  await open(t, selecting)
  await execute(url, 'create table copy_progress (name text)')
  await open(t, selecting)
  await t.rejects(openStorage(url), { message: /a copy into it is not complete/ })
})

test('a start without a schema is refused, and says what to do', { skip }, async t => {
  const url = await newDatabase(t)
  await t.rejects(openStorage(inSchema(url, 'missing')), {
    name: 'ConfigError',
    message: /its search_path names no schema that exists.* Create the schema\./
  })
})

test('a start over tables that are up to date takes no lock and changes nothing', { skip }, async t => {
  const url = await newDatabase(t)
  const owner = await newOwner(t, url)
  await changeKeys(await open(t, owner.url))
  const holder = await connectDirectly(t, url)
  await holder.query('select pg_advisory_lock(7216014, 1)')
  const server = await newRole(t, url)
  await execute(url, `grant usage on schema ${owner.name} to ${server.name}`)
  await letServe(owner.url, server)
  const serving = inSchema(server.url, owner.name)
  for (const each of [owner.url, serving]) await changeKeys(await open(t, each), 'again')
})

const message = async (url: string, options?: StorageOptions): Promise<string> =>
  await openStorage(url, options).then(
    () => 'opened',
    (error: unknown) => (error as Error).message
  )

test('a role that may not create or change tables is told to have them migrated', { skip }, async t => {
  const url = await newDatabase(t)
  const [owner, server] = [await newOwner(t, url), await newRole(t, url)]
  const serving = inSchema(server.url, owner.name)
  t.match(await message(serving), /names no schema .* that the role .+ may use/)
  await execute(url, `grant usage on schema ${owner.name} to ${server.name}`)
  t.match(
    await message(serving),
    `it has no tables in the schema "${owner.name}", and the role "${server.name}" may not create them. ` +
      'Run trivial db migrate with the URL of the owner.'
  )
  await open(t, owner.url)
  t.match(
    await message(serving),
    new RegExp(
      `the role "${server.name}" does not have all the rights that it needs on app_port_counter, .*users, ` +
        `.*__drizzle_migrations. Run trivial db grants ${server.name} with the URL of the owner`
    )
  )
  await letServe(owner.url, server)
  t.equal(await message(serving), 'opened')
  await execute(owner.url, `revoke execute on function drop_usage_days from ${server.name}`)
  t.match(await message(serving), /all the rights that it needs on drop_usage_days\. Run trivial db grants/)
  await letServe(owner.url, server)
  const record = `${owner.name}.__drizzle_migrations`
  await execute(url, `delete from ${record} where created_at = (select max(created_at) from ${record})`)
  t.match(
    await message(serving),
    `its tables are of an earlier version, and the role "${server.name}" may not change them. ` +
      'Run trivial db migrate with the URL of the owner.'
  )
  await execute(url, `revoke create on schema ${owner.name} from ${owner.name}`)
  t.match(await message(owner.url), `the role "${owner.name}" may not change them`)
})

test('what the server says of a failed start is in the message', { skip }, async t => {
  const url = await newDatabase(t)
  await execute(url, 'create table apps (mine text)')
  t.match(await message(url), /can't be opened: relation "apps" already exists$/)
  t.same(await execute(url, SCHEMAS), [{ schema: 'public', tables: 1 }], 'all of it or nothing')
})

test(
  'a database in another encoding than UTF-8 is refused, and the message says how to create one',
  { skip },
  async t => {
    const server = await newDatabase(t)
    const create = async (how: string): Promise<string> => {
      const url = new URL(server)
      url.pathname += how.includes('LATIN1') ? '_latin1' : '_utf8'
      await execute(server, how.replace('…', url.pathname.slice(1)))
      t.teardown(async () => {
        await execute(server, `drop database ${url.pathname.slice(1)} with (force)`)
      })
      return url.href
    }
    const refused = await message(await create("create database … encoding 'LATIN1' locale 'C' template template0"))
    t.match(refused, /its encoding is LATIN1, which does not have every character\./)
    await changeKeys(await open(t, await create(at(/create database .*$/.exec(refused) ?? []))))
  }
)

const RECORDS = 'create table __drizzle_migrations (id serial primary key, hash text not null, created_at bigint)'

test('a database whose migrations an earlier version recorded goes on with that record', { skip }, async t => {
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
  const schemas = [
    { schema: 'drizzle', tables: 1 },
    { schema: 'public', tables: TABLES - 1 }
  ]
  t.same(await execute(url, SCHEMAS), schemas)

  const server = await newRole(t, url)
  t.match(await message(server.url), /rights that it needs on .*"drizzle"\.__drizzle_migrations/)
  await letServe(owner.url, server)
  await changeKeys(await open(t, server.url), 'as the role that serves')

  const other = await newOwner(t, url)
  await changeKeys(await open(t, other.url))
  t.same(await execute(url, SCHEMAS), [...schemas, { schema: other.name, tables: TABLES }])
})
