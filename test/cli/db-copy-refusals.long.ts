import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import tap, { test } from 'tap'
import { copyDatabase, openStorage } from '../../db/open.ts'
import { LOCK_SPACE, LOCKS } from '../../db/postgres/database.ts'
import { temporaryFolder } from '../helper.ts'
import { execute, postgresDatabase } from '../postgres.ts'
import { blockedProcess, copy, emptySource, emptyTarget, inSqlite, keySource, rowsOfPostgres } from './copied.ts'
import { command } from './terminal.ts'

const skip = (await postgresDatabase(tap)) === null

const NOWHERE = 'postgres://postgres:hunter2@127.0.0.1:1/trivial'
const CHANGED =
  'The source has changed since this copy began, or is a different database. To start over, drop the target ' +
  'database, create it again, and run this command again.\n'

const addUser = `insert into users (name, email, created_at, updated_at) values ('a', 'a@example.com', '', '')`

test('--to must name a PostgreSQL database, and its value is never repeated', async t => {
  for (const [to, issue] of [
    [[], 'Specify the database to copy into: --to postgres://…\n'],
    [['--to', 'file:./other.db'], '--to must be a postgres: URL, such as postgres://trivial@db.example.com/trivial.\n'],
    [
      ['--to', 'postgres://u:hunter2@host'],
      '--to must contain a host and a database; for a socket, add ?host=/run/postgresql after the database.\n'
    ],
    [
      ['--to', 'postgres://u:hunter2@h/d?sslmode=prefer'],
      '--to must set sslmode to one of these values: disable, require, '
    ],
    [['--to', NOWHERE, 'more'], 'This command takes options, but no arguments.']
  ] as const) {
    const { code, stdout, stderr } = await command(t, 'db:copy', { args: to })
    t.same([code, stdout], [2, ''])
    t.ok(stderr.startsWith(issue), stderr)
    t.notMatch(stderr, 'hunter2')
  }
})

test('a source that is not an SQLite database of this version is rejected before connecting to the target', async t => {
  const folder = temporaryFolder(t)
  const text = join(folder, 'text.db')
  writeFileSync(text, 'mine'.repeat(1000))
  const foreign = join(folder, 'foreign.db')
  inSqlite(`file:${foreign}`, db => db.exec('create table users (x)'))
  const versions = await Promise.all(
    ['created_at - 1', 'created_at + 1'].map(async changed => {
      const url = await emptySource(t)
      inSqlite(url, db => db.exec(`update __drizzle_migrations set created_at = ${changed}`))
      return url
    })
  )
  const headless = await emptySource(t)
  inSqlite(headless, db => db.exec('delete from audit_head'))
  const portless = await emptySource(t)
  inSqlite(portless, db => db.exec('delete from app_port_counter'))
  for (const [source, words] of [
    [NOWHERE, /^This command only copies SQLite databases\. Copy PostgreSQL with pg_dump and pg_restore\.\n$/],
    [`file:${folder}/none.db`, /^There is no database \S+none\.db, so there is nothing to copy\.\n$/],
    [`file:${text}`, /^\S+text\.db can't be read: file is not a database\.\n$/],
    [`file:${foreign}`, /^\S+ was not created by this program\.\n$/],
    [versions[0] ?? '', /^\S+ has tables from an older version\. Migrate it first: npm run db:migrate\n$/],
    [versions[1] ?? '', /^\S+ was changed by a newer version of the program\. Copy it with that version\.\n$/],
    [headless, /^\S+ can't be read: audit_head or app_port_counter has no row\.\n$/],
    [portless, /^\S+ can't be read: audit_head or app_port_counter has no row\.\n$/]
  ] as const) {
    t.match(await copy(t, source, NOWHERE), { code: 1, stdout: '', stderr: words })
  }
})

test('a copy requires a PostgreSQL target', async t => {
  await t.rejects(
    copyDatabase(await emptySource(t), { url: 'file:./other.db' }, () => {}),
    { message: 'This command only copies into PostgreSQL databases.', hint: /npm run db:backup/ }
  )
})

test('an unreachable target is reported without the password', async t => {
  const { code, stderr } = await copy(t, await emptySource(t), NOWHERE)
  t.equal(code, 1)
  t.match(stderr, /^The copy stopped: connect ECONNREFUSED 127\.0\.0\.1:1\. The copied rows are kept\./)
  t.notMatch(stderr, 'hunter2')
})

test('DATABASE_CA and the URL determine how TLS is used', { skip }, async t => {
  const ca = join(temporaryFolder(t), 'ca.pem')
  writeFileSync(ca, 'none')
  const env = { DATABASE_URL: await emptySource(t), DATABASE_CA: ca }
  const to = `${await emptyTarget(t)}?sslmode=verify-ca`
  t.match(await command(t, 'db:copy', { env, args: ['--to', to] }), { code: 1, stderr: /^The copy stopped: / })
})

test('nothing is copied while a service has the source open or is connected to the target', { skip }, async t => {
  const source = await emptySource(t)
  const target = await emptyTarget(t)
  const here = await openStorage(source)
  t.match(await copy(t, source, target), {
    code: 1,
    stderr: /^Another process has \S+ open\. Stop the service, and run this command again\.\n$/
  })
  await here.close()
  const there = await openStorage(target)
  t.ok(await there.read(async ({ apps }) => await apps.isEmpty()))
  t.match(await copy(t, source, target), {
    code: 1,
    stderr: 'A service or a command is connected to the target. Stop it, and run this command again.\n'
  })
  await there.close()
  t.equal((await copy(t, source, target)).code, 0)
})

test('existing data in a target stays unchanged', { skip }, async t => {
  const source = await keySource(t)
  for (const [statement, table] of [
    [`insert into users (name, email, created_at, updated_at) values ('a', 'a@example.com', '', '')`, 'users'],
    [`insert into environment_key_uses values ('env_0', '0a0b0c0d', '', '', null, 1)`, 'environment_key_uses'],
    [`update app_port_counter set last = 3001`, 'app_port_counter']
  ] as const) {
    const target = await emptyTarget(t)
    await (await openStorage(target)).close()
    await execute(target, statement)
    const before = await rowsOfPostgres(target)
    t.match(await copy(t, source, target), {
      code: 1,
      stdout: '',
      stderr: `The target already has data in ${table}. Nothing was changed. Specify an empty database.\n`
    })
    t.same(await rowsOfPostgres(target), before)
    await (await openStorage(target)).close()
  }
  const sampled = await emptyTarget(t)
  t.equal((await command(t, 'db:sample', { env: { DATABASE_URL: sampled } })).code, 0)
  t.match(await copy(t, source, sampled), {
    code: 1,
    stderr:
      /in users, organizations, memberships, apps, grants, tags, audits, database_marks, app_port_counter, audit_head\. Nothing/
  })
  const marked = await emptyTarget(t)
  await (await openStorage(marked, { asSample: true })).close()
  t.match(await copy(t, source, marked), {
    code: 1,
    stderr: /already has data in database_marks\. Nothing was changed/
  })
})

test('sample data and backups of it are rejected before connecting to the target', async t => {
  const cwd = temporaryFolder(t)
  const env = { DATABASE_URL: `file:${join(cwd, 'sample.db')}` }
  t.equal((await command(t, 'db:sample', { env })).code, 0)
  t.equal((await command(t, 'db:backup', { cwd, env, args: ['backup.db'] })).code, 0)
  for (const name of ['sample', 'backup']) {
    t.match(await copy(t, `file:${join(cwd, `${name}.db`)}`, NOWHERE), {
      code: 1,
      stdout: '',
      stderr: `${join(cwd, name)}.db is marked as sample data, which cannot be copied. To start with PostgreSQL, set DATABASE_URL to the empty database, and start the service.\n`
    })
  }
})

/** Copies the first batch of keys, then fails. */
const begin = async (source: string, url: string): Promise<void> => {
  const stop = (copied: number): void => {
    if (copied > 0) throw new Error('enough')
  }
  await copyDatabase(source, { url }, stop).catch(() => {})
}

test('a source that changed after the copy began is rejected', { skip }, async t => {
  const source = await keySource(t)
  const target = await emptyTarget(t)
  await begin(source, target)
  const changes = [
    [addUser, 'delete from users'],
    [
      `update client_keys set enabled = 1 - enabled where row = 1`,
      `update client_keys set enabled = 1 - enabled where row = 1`
    ],
    [
      `update client_keys set last_used_at = '2026' where row = 1`,
      `update client_keys set last_used_at = null where row = 1`
    ],
    [`update client_key_tokens set use_count = 1 where client_key = 1`, `update client_key_tokens set use_count = 0`]
  ] as const
  for (const [change] of changes) {
    inSqlite(source, db => db.exec(change))
    t.match(await copy(t, source, target), { code: 1, stdout: '', stderr: CHANGED }, change)
  }
  t.match(await copy(t, await keySource(t), target), { code: 0 }, 'another source with the same contents is accepted')
})

test('changes made to the target during the copy are detected at the end', { skip }, async t => {
  const source = await keySource(t)
  const env = { DATABASE_URL: source }
  t.equal((await command(t, 'user:create', { env, args: ['--email', 'a@example.com', '--name', 'A'] })).code, 0)
  const target = await emptyTarget(t)
  await begin(source, target)
  await execute(target, 'delete from users')
  t.match(await copy(t, source, target), {
    code: 1,
    stderr: /^The target and the source have different rows in users\. To start over, drop/
  })
  await execute(target, addUser)
  await execute(target, `alter table audits disable trigger user; update audits set actor_name = 'x'`)
  t.match(await copy(t, source, target), {
    code: 1,
    stderr: /^The audit trails of the source and the target differ\. To start over, drop/
  })
})

test("errors identify values that PostgreSQL can't store", { skip }, async t => {
  const at = "'2026-01-01T00:00:00.000Z'"
  for (const [statement, words] of [
    [
      `insert into users (id, name, email, created_at, updated_at) values (5, 'a' || char(0), 'a@example.com', ${at}, ${at})`,
      /^PostgreSQL can't store the character U\+0000, which is in the column name of the row \["5"\] in users\. Change that row/
    ],
    [
      `insert into client_key_usage values ('k', 'x''; drop table users', 'scope', '', 1)`,
      /^A day in client_key_usage is not a date\. To start over/
    ],
    [
      `${addUser}; pragma ignore_check_constraints = on;
      insert into apps (name, descriptive_name, port, user_id, panels, created_at, updated_at)
        values ('a', 'a', 4000, 1, '{bad', ${at}, ${at})`,
      /^A row of apps can't be copied: invalid input syntax for type json\. To start over/
    ]
  ] as const) {
    const source = await emptySource(t)
    inSqlite(source, db => db.exec(statement))
    t.match(await copy(t, source, await emptyTarget(t)), { code: 1, stdout: '', stderr: words })
  }
})

test('a broken audit trail is copied unchanged and reported', { skip }, async t => {
  const source = await emptySource(t)
  const env = { DATABASE_URL: source }
  for (const name of ['a', 'b']) {
    await command(t, 'user:create', { env, args: ['--email', `${name}@example.com`, '--name', name] })
  }
  inSqlite(source, db =>
    db.exec(`drop trigger audits_never_updated; update audits set actor_name = 'x' where sequence = 2`)
  )
  const target = await emptyTarget(t)
  t.match(await copy(t, source, target), {
    code: 1,
    stdout: /\naudits +2\nCopied /,
    stderr: 'The audit trail is broken in both databases: entry 2 was altered.\n'
  })
  t.match(await command(t, 'audit:verify', { env: { DATABASE_URL: target } }), {
    code: 1,
    stderr: 'The audit trail is broken: entry 2 was altered.\n'
  })
  await execute(
    target,
    `insert into audits select 3, '', '', '', '', '', '', '', '{}', null, null, hash, 'h' from audit_head`
  )
  t.same(await execute(target, 'select sequence, hash from audit_head'), [{ sequence: '3', hash: 'h' }])
})

test('a copy waits for another copy into the same target, and then gives up', { skip }, async t => {
  const target = await emptyTarget(t)
  const source = await emptySource(t)
  const other = new pg.Client({ connectionString: target })
  await other.connect()
  await other.query(`select pg_advisory_lock(${LOCK_SPACE}, ${LOCKS.copy})`)
  t.match(await copy(t, source, target), {
    code: 1,
    stderr: 'Another copy into the target is running. Wait until it ends, or stop it.\n'
  })
  const stopped = copy(t, source, target)
  await execute(target, `select pg_terminate_backend(${await blockedProcess(target)})`)
  t.match(await stopped, {
    code: 1,
    stderr: /^The copy stopped: terminating connection due to administrator command\. The copied rows are kept\./
  })
  await other.end()
  t.equal((await copy(t, source, target)).code, 0)
})
