import tap, { test } from 'tap'
import { copyDatabase, openStorage } from '../../db/open.ts'
import { at, settings } from '../helper.ts'
import { connectDirectly } from '../contract/engines.ts'
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

test('a service without a schema refuses to start, and the message shows how to create one', { skip }, async t => {
  const url = await newDatabase(t)
  await t.rejects(openStorage(inSchema(url, 'missing')), {
    name: 'ConfigError',
    message: /its search_path contains no existing schema.* Create the schema\./
  })
})

test('if the tables are up to date, startup takes no lock and changes nothing', { skip }, async t => {
  const url = await newDatabase(t)
  const owner = await newOwner(t, url)
  await changeKeys(await open(t, owner.url))
  const holder = await connectDirectly(t, url)
  await holder.query('select pg_advisory_lock(7216014, 1)')
  const server = await newRole(t, url)
  await execute(url, `grant usage on schema ${owner.name} to ${server.name}`)
  await grantNodePrivileges(owner.url, server)
  const serving = inSchema(server.url, owner.name)
  for (const each of [owner.url, serving]) await changeKeys(await open(t, each), 'again')
})

test('if a role may not create or change tables, the message asks for a migration to be run', { skip }, async t => {
  const url = await newDatabase(t)
  const [owner, server] = [await newOwner(t, url), await newRole(t, url)]
  const serving = inSchema(server.url, owner.name)
  t.match(await refusalOf(serving), /contains no existing schema that the role .+ may use/)
  await execute(url, `grant usage on schema ${owner.name} to ${server.name}`)
  t.match(
    await refusalOf(serving),
    `it has no tables in the schema "${owner.name}", and the role "${server.name}" is not allowed to create them. ` +
      "Run trivial db migrate with the owner's URL."
  )
  await open(t, owner.url)
  t.match(
    await refusalOf(serving),
    new RegExp(
      `the role "${server.name}" lacks some of the privileges that it needs on app_port_counter, .*users, ` +
        `.*__drizzle_migrations. Run trivial db grants ${server.name} with the owner's URL`
    )
  )
  await grantNodePrivileges(owner.url, server)
  t.equal(await refusalOf(serving), 'opened')
  await execute(owner.url, `revoke execute on function drop_usage_days from ${server.name}`)
  t.match(await refusalOf(serving), /some of the privileges that it needs on drop_usage_days\. Run trivial db grants/)
  await grantNodePrivileges(owner.url, server)
  const record = `${owner.name}.__drizzle_migrations`
  await execute(url, `delete from ${record} where created_at = (select max(created_at) from ${record})`)
  t.match(
    await refusalOf(serving),
    `its tables are from an earlier version, and the role "${server.name}" is not allowed to change them. Run ` +
      "trivial db migrate with the owner's URL."
  )
  await execute(url, `revoke create on schema ${owner.name} from ${owner.name}`)
  t.match(await refusalOf(owner.url), `the role "${owner.name}" is not allowed to change them`)
})

test("the message about a failed start contains the server's error", { skip }, async t => {
  const url = await newDatabase(t)
  await execute(url, 'create table apps (mine text)')
  t.match(await refusalOf(url), /can't be opened: relation "apps" already exists$/)
  t.same(await schemasOf(url), { public: 1 }, 'nothing was created')
})

test(
  'if the server stops a copy, the reason is reported, and the copy can be resumed after the problem is fixed',
  { skip },
  async t => {
    const url = await newDatabase(t)
    const owner = await newOwner(t, url)
    const source = settings(t).env.DATABASE_URL
    const storage = await openStorage(source)
    await changeKeys(storage)
    await storage.close()
    const copy = async (onRows = () => {}) => await copyDatabase(source, { url: owner.url }, onRows)
    const interrupt = (): void => {
      throw new Error('enough')
    }
    await t.rejects(copy(interrupt), { message: 'The copy stopped: enough.' })
    await execute(
      owner.url,
      `revoke select on audits from ${owner.name}; grant select (sequence) on audits to ${owner.name}`
    )
    await t.rejects(copy(), { message: 'The copy stopped: permission denied for table audits.' })
    await execute(owner.url, `grant select on audits to ${owner.name}`)
    t.match(await copy(), { rows: { client_keys: 1, audits: 2 }, trail: { whole: true } })
  }
)

test(
  'a database with an encoding other than UTF-8 is rejected, and the message explains how to create one with UTF-8',
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
    const refused = await refusalOf(await create("create database … encoding 'LATIN1' locale 'C' template template0"))
    t.match(refused, /its encoding is LATIN1, which lacks some characters\./)
    await changeKeys(await open(t, await create(at(/create database .*$/.exec(refused) ?? []))))
  }
)
