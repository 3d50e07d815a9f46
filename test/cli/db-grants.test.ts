import { spawnSync } from 'node:child_process'
import tap, { test } from 'tap'
import type { Test } from 'tap'
import { openStorage } from '../../db/open.ts'
import { required, settings } from '../helper.ts'
import { execute, postgresDatabase } from '../postgres.ts'
import { newOwner, newRole } from '../roles.ts'
import { command } from './terminal.ts'

const skip = (await postgresDatabase(tap)) === null

const grants = async (t: Test, url: string, ...args: string[]) =>
  await command(t, 'db:grants', { env: { DATABASE_URL: url }, args })

/** Creates a database without tables, and a role that will own them in a separate schema. */
const prepared = async (t: Test) => {
  const url = required((await postgresDatabase(t)) ?? undefined, 'PostgreSQL')
  const owner = await newOwner(t, url)
  await execute(url, `alter schema ${owner.name} owner to ${owner.name}`)
  return { admin: url, owner }
}

test('db grants prints statements that psql can run, for any role name', { skip }, async t => {
  const { admin, owner } = await prepared(t)
  const server = await newRole(t, admin, ' "; drop table audits; -- É')
  t.match(await command(t, 'db:migrate', { env: { DATABASE_URL: owner.url } }), { code: 0, stdout: /is up to date/ })
  const { code, stdout, stderr } = await grants(t, owner.url, server.name)
  t.same([code, stderr], [0, ''])
  t.match(stdout, /^BEGIN;\nGRANT USAGE ON SCHEMA "\w+" TO "trivial_test_\w+ ""; drop table audits; -- É";\n/)
  t.match(stdout, `GRANT SELECT, INSERT ON TABLE "${owner.name}"."audits" TO `)
  const psql = spawnSync('psql', [owner.url, '--no-psqlrc', '--quiet', '--set', 'ON_ERROR_STOP=1'], { input: stdout })
  if (psql.error !== undefined) await execute(owner.url, stdout)
  else t.same([psql.status, String(psql.stderr)], [0, ''])
  await execute(admin, `alter role "${server.name.replaceAll('"', '""')}" set search_path = ${owner.name}`)
  await (await openStorage(server.url)).close()
})

test('db grants fails if it would grant nothing, or too much', { skip }, async t => {
  const { admin, owner } = await prepared(t)
  const server = await newRole(t, admin)
  const refused = async (url: string, role: string, stderr: RegExp) => {
    t.match(await grants(t, url, role), { code: 1, stdout: /^$/, stderr })
  }
  await refused(
    owner.url,
    server.name,
    /^The tables in the schema \w+ are not up to date\. Run trivial db migrate first\.$/m
  )
  await (await openStorage(owner.url)).close()
  await refused(owner.url, 'public', /^There is no such role\. Create it first: create role … login$/m)
  await refused(
    owner.url,
    owner.name,
    /^The role has all of the owner's privileges\. Specify a role that only the nodes use\.$/m
  )
  await execute(admin, `alter schema ${owner.name} owner to current_user`)
  await execute(admin, `revoke all on schema ${owner.name} from ${owner.name}`)
  await execute(admin, `grant usage, create on schema ${owner.name} to ${owner.name}`)
  await refused(
    owner.url,
    server.name,
    new RegExp(
      `is not allowed to grant usage on their schema\\. .*: grant usage on schema "${owner.name}" to "${server.name}"$`,
      'm'
    )
  )
  await refused('postgres://x@127.0.0.1:1/x', 'x', /^DATABASE_URL .+: the database .+ can't be opened: .*ECONNREFUSED/)
  await refused(
    settings(t).env.DATABASE_URL,
    'x',
    /^An SQLite database has no roles\. Set DATABASE_URL to a PostgreSQL/
  )
  t.match(await grants(t, owner.url), { code: 2, stderr: /Specify one role/ })
})
