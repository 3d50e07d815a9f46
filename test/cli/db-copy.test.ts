import tap, { test } from 'tap'
import { getTableName, isTable } from 'drizzle-orm'
import { createServer } from '../../app.ts'
import { COPY_TABLES } from '../../db/postgres/copy/tables.ts'
import * as schema from '../../db/postgres/schema.ts'
import { required, newSecret } from '../helper.ts'
import { execute, postgresDatabase } from '../postgres.ts'
import {
  copy,
  emptySource,
  emptyTarget,
  inSqlite,
  KEYS,
  keySource,
  rowsOfPostgres,
  rowsOfSqlite,
  serve,
  usedService
} from './copied.ts'
import { command } from './terminal.ts'

const skip = (await postgresDatabase(tap)) === null

const CLEAR = '\r\u001B[K'
const LARGEST = Number.MAX_SAFE_INTEGER

test('every PostgreSQL table is either copied or known not to need it', t => {
  const names = Object.values(schema).flatMap(each => (isTable(each) ? [getTableName(each)] : []))
  const counters = ['app_port_counter', 'audit_head']
  const ofNodes = ['client_key_changes', 'nodes', 'rate_counters']
  t.same(names.sort(), [...COPY_TABLES.map(({ name }) => name), ...counters, ...ofNodes, 'database_marks'].sort())
  t.end()
})

test('everything is copied, and clients can still use their tokens, sessions and passwords', { skip }, async t => {
  const { made, good, revoked, login, session } = await usedService(t)
  const source = made.env.DATABASE_URL
  inSqlite(source, db =>
    db.exec(`
      insert into users (id, name, email, created_at, updated_at, account_locked)
        values (${LARGEST - 2}, 'Zoë 🦉', 'zoe@example.com', '2026-01-01T00:00:00.000Z', '2026-01-01T00:00:00.000Z', 1);
      insert into apps (id, name, descriptive_name, port, user_id, created_at, updated_at) values
        (${LARGEST - 1}, 'largest', 'Largest', 65000, ${LARGEST - 2}, '2026-01-01T00:00:00.000Z', '2026-01-01T00:00:00.000Z');
      insert into environment_key_revocations values ('${'ab'.repeat(32)}', '2026-01-01T00:00:00.000Z', null);
      insert into client_key_usage values ('k', '2026-01-02', 'scope', '', ${LARGEST}), ('k', '2026-01-03', 'address', 'é', 1)`)
  )
  const before = rowsOfSqlite(source)
  for (const [table, rows] of Object.entries(before)) t.ok((rows as unknown[]).length > 0, `${table} has rows`)
  const target = await emptyTarget(t)
  const { code, stdout, stderr } = await copy(t, source, target)
  t.same([code, stderr], [0, ''])
  t.match(stdout, /^TABLE +ROWS\n/)
  t.match(stdout, /\napps +25\n/)
  const head = required(/\nThe last entry of the audit trail is (\S+)\n$/.exec(stdout)?.[1], 'the head')
  t.same(await rowsOfPostgres(target), before)
  t.same(rowsOfSqlite(source), before, 'the source is unchanged')
  t.same(await execute(target, 'select last from app_port_counter'), [{ last: '65000' }])
  t.match(await command(t, 'audit:verify', { env: { DATABASE_URL: target }, args: ['--noted', head] }), {
    code: 0,
    stdout: `The audit trail is intact. The last entry is ${head}\n`
  })

  const fastify = await serve(t, made, target)
  const status = async (authorization: string): Promise<number> =>
    (await fastify.inject({ url: '/apps', headers: { authorization } })).statusCode
  t.equal(await status(`Bearer ${good.token}`), 200)
  t.equal(await status(`Bearer ${made.key.keyAccessToken}`), 200)
  t.equal(await status(`Bearer ${revoked.token}`), 401)
  t.equal(await status(session), 200)
  t.equal((await fastify.inject({ method: 'POST', url: '/auth/sign_in', payload: login })).statusCode, 200)
  const issued = await fastify.inject({
    method: 'POST',
    url: '/client_keys',
    headers: { authorization: `Bearer ${good.token}` },
    payload: { name: 'new here' }
  })
  t.match(issued.json(), { name: 'new here' }, 'row numbers and the audit trail continue')
  t.equal(issued.statusCode, 201)
  t.match(await execute(target, 'select max(row) as row from client_keys'), [{ row: '3' }])
})

test("a target on which a service has been started but not used gets the source's secrets", { skip }, async t => {
  const { made } = await usedService(t)
  const target = await emptyTarget(t)
  const other = newSecret()
  await (await createServer({ ...made.env, CLIENT_SECRET: other, DATABASE_URL: target })).close()
  t.equal((await copy(t, made.env.DATABASE_URL, target)).code, 0)
  t.same(await rowsOfPostgres(target), rowsOfSqlite(made.env.DATABASE_URL))
  const env = { ...made.env, CLIENT_SECRET: other, CLIENT_SECRET_PREVIOUS: '', DATABASE_URL: target }
  await t.rejects(createServer(env), /in use with other secrets/)
  await (await serve(t, made, target)).close()
})

test('ids are not reused after a copy, even if the last rows were deleted before it', { skip }, async t => {
  const source = await emptySource(t)
  inSqlite(source, db =>
    db.exec(`insert into organizations values (7, 'a', 'a@example.com', '', ''); delete from organizations`)
  )
  const target = await emptyTarget(t)
  t.match(await copy(t, source, target), {
    code: 0,
    stdout:
      /\nCopied file:\S+ to postgres:\S+ Both databases have the same rows\.\nThe service no longer opens the SQLite file\.\nThe audit trail has no entries\.\n$/
  })
  const insert = `insert into organizations (name, billing_email, created_at, updated_at) values ('b', '', '', '')`
  t.same(await execute(target, `${insert} returning id`), [{ id: '8' }])
  t.match(await copy(t, source, target), {
    code: 1,
    stdout: '',
    stderr:
      'The target already has data in organizations. Nothing was changed. The source is marked as copied to this ' +
      'target, so the copy is complete. To make another copy, specify an empty database.\n'
  })
})

test('in a terminal, a copy displays its progress, even if there are no rows', { skip }, async t => {
  const full = await copy(t, await keySource(t), await emptyTarget(t), true)
  t.equal(full.code, 0)
  t.ok(full.stderr.startsWith(`${CLEAR}0 % of ${2 * KEYS} rows${CLEAR}20 % of `), full.stderr)
  t.ok(full.stderr.endsWith(`100 % of ${2 * KEYS} rows${CLEAR}`))
  const empty = await copy(t, await emptySource(t), await emptyTarget(t), true)
  t.same([empty.code, empty.stderr], [0, `${CLEAR}100 % of 0 rows${CLEAR}`])
})
