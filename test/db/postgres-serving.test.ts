import tap, { test } from 'tap'
import type { Test } from 'tap'
import type { InjectOptions } from 'fastify'
import { createServer } from '../../app.ts'
import { openStorage } from '../../db/open.ts'
import { required, settings } from '../helper.ts'
import { connectDirectly } from '../contract/engines.ts'
import { execute, postgresDatabase } from '../postgres.ts'
import { inSchema, grantNodePrivileges, newDatabase, newOwner, newRole } from '../roles.ts'

const skip = (await postgresDatabase(tap)) === null

/** Creates a database whose tables belong to one role. Returns the URL with which another role serves it. */
const prepareRoles = async (t: Test) => {
  const url = await newDatabase(t)
  const [owner, server] = [await newOwner(t, url), await newRole(t, url)]
  await execute(url, `grant usage on schema ${owner.name} to ${server.name}`)
  await (await openStorage(owner.url)).close()
  await grantNodePrivileges(owner.url, server)
  return { admin: inSchema(url, owner.name), owner: owner.url, server, serving: inSchema(server.url, owner.name) }
}

type Walk = readonly [request: string, status: number, body?: object]

const PASSWORD = 'seven lanterns by the mill'
const LOGIN = { email: 'ada@example.com', password: PASSWORD }
const APP = { descriptive_name: 'Night Shift', owner_type: 'User', owner_id: 1 }

/** All operations, ordered so that each finds the data it needs. `{…}` refers to a value from an earlier response. */
const BY_KEY: readonly Walk[] = [
  ['GET /up', 200],
  ['GET /ready', 200],
  ['POST /auth', 201, { ...LOGIN, name: 'Ada' }],
  ['POST /users', 201, { name: 'Ben', email: 'ben@example.com', password: PASSWORD, role: 'admin' }],
  ['GET /users', 200],
  ['GET /users/1', 200],
  ['PUT /users/1', 200, { color_theme: 'dark' }],
  ['PATCH /users/1', 200, { account_locked: false }],
  ['POST /organizations', 201, { name: 'Harbor', billing_email: 'h@example.com' }],
  ['GET /organizations', 200],
  ['GET /organizations/1', 200],
  ['PUT /organizations/1', 200, { name: 'Harbor Supply', billing_email: 'h@example.com' }],
  ['PATCH /organizations/1', 200, { name: 'Harbor' }],
  ['PUT /organizations/1/users/1', 200, { role: 'admin' }],
  ['PUT /organizations/1/users/2', 200, { role: 'member' }],
  ['DELETE /organizations/1/users/2', 204],
  ['PUT /organizations/1/users/2', 200, { role: 'member' }],
  ['DELETE /organizations/1/delete_org_role?user_id=2', 204],
  ['POST /apps', 201, APP],
  ['GET /apps', 200],
  ['GET /apps/name_suggestion', 200],
  ['GET /apps/{app}', 200],
  ['PUT /apps/{app}', 200, { descriptive_name: 'Day Shift', panels: { a: 1 } }],
  ['PATCH /apps/{app}', 200, { schedule: { every: 'hour' } }],
  ['POST /apps/{app}/tags', 201, { context: 'stage', name: 'production' }],
  ['POST /apps/{app}/copy', 201, { new_app_descriptive_name: 'Late Shift' }],
  ['DELETE /apps/{app}/tags', 204, { context: 'stage', name: 'production' }],
  ['POST /apps/1/permission/read/users/2', 200],
  ['POST /apps/1/permissions/users/2', 200],
  ['GET /apps/1/permissions', 200],
  ['GET /users/2/permissions', 200],
  ['GET /users/2/grants', 200],
  ['DELETE /apps/1/permission/read/users/2', 200],
  ['DELETE /apps/1/permissions/users/2', 200],
  ['PUT /apps/1/transfer/organizations/1', 200],
  ['GET /apps/1/audits', 200],
  ['GET /apps/1/trail', 200],
  ['GET /organizations/1/audits', 200],
  ['GET /organizations/1/trail', 200],
  ['DELETE /apps/{app}', 204],
  ['POST /client_keys', 201, { name: 'k', rate_limit: { max: 9, window_seconds: 60 } }],
  ['GET /client_keys', 200],
  ['GET /client_keys/{key}', 200],
  ['PATCH /client_keys/{key}', 200, { description: 'a description' }],
  ['GET /client_keys/me', 200],
  ['GET /client_keys/me/usage', 200],
  ['GET /client_keys/{key}/usage', 200],
  ['POST /client_keys/{key}/rotate', 200, { grace_seconds: 60 }],
  ['POST /client_keys/{key}/revoke', 200],
  ['GET /receipts/{receipt}', 200],
  ['GET /nodes', 200],
  ['GET /audits', 200]
]

const BY_SESSION: readonly Walk[] = [
  ['GET /profile', 200],
  ['PUT /profile', 200, { name: 'Ada M.' }],
  ['PATCH /profile', 200, { name: 'Ada N.' }],
  ['GET /profile/sessions', 200],
  ['DELETE /profile/sessions/{session}', 204],
  ['PUT /profile/password', 204, { current_password: PASSWORD, password: 'another green kettle' }],
  ['DELETE /auth/sign_out', 204]
]

const REMOVAL: readonly Walk[] = [
  ['DELETE /organizations/1?apps=delete', 204],
  ['DELETE /users/1?apps=delete', 204]
]

/** Returns the operations of the OpenAPI document, with `*` for each parameter. */
const operationsOf = (paths: Record<string, object>): string[] =>
  Object.entries(paths).flatMap(([path, item]) =>
    Object.keys(item).map(method => `${method.toUpperCase()} ${path.replaceAll(/\{\w+\}/g, '*')}`)
  )

test("the serving role can perform all of the service's operations", { skip }, async t => {
  const { admin, serving } = await prepareRoles(t)
  const { env, key } = settings(t, { DATABASE_URL: serving })
  const fastify = await createServer(env)
  t.teardown(() => fastify.close())
  const found = new Map<string, string>()
  const walked: string[] = []
  const inject = async (headers: Record<string, string>, [request, status, payload]: Walk) => {
    const [method = '', pattern = ''] = request.split(' ')
    const url = pattern.replaceAll(/\{(\w+)\}/g, (_, name: string) => required(found.get(name), name))
    const reply = await fastify.inject({ method, url, headers, payload } as InjectOptions)
    t.equal(reply.statusCode, status, request, reply.statusCode === status ? {} : { payload: reply.payload })
    walked.push(`${method} ${url.replace(/\?.*/, '')}`)
    return reply
  }
  const byKey = async (walk: Walk) => await inject({ authorization: `Bearer ${key.keyAccessToken}` }, walk)
  for (const walk of BY_KEY) {
    const reply = await byKey(walk)
    if (walk[0] === 'POST /apps') found.set('app', reply.json().name)
    if (walk[0] === 'POST /client_keys') found.set('key', reply.json().id)
    if (walk[0] === 'POST /client_keys/{key}/revoke') found.set('receipt', reply.json().receipt.id)
    if (walk[0] !== 'POST /client_keys') continue
    const token = String(reply.json().key_access_token)
    await inject({ authorization: `Bearer ${token}` }, ['GET /apps', 200])
  }
  const again = { authorization: `Bearer ${key.keyAccessToken}`, 'idempotency-key': 'once' }
  const issued = (await inject(again, ['POST /client_keys', 201, { name: 'once' }])).json()
  t.equal((await inject(again, ['POST /client_keys', 201, { name: 'once' }])).json().id, issued.id)
  const authorization = String((await inject({}, ['POST /auth/sign_in', 200, LOGIN])).headers['authorization'])
  for (const walk of BY_SESSION) {
    const reply = await inject({ authorization }, walk)
    if (walk[0] === 'GET /profile/sessions') {
      found.set('session', reply.json().find(({ current }: { current: boolean }) => !current).id)
    }
  }
  for (const walk of REMOVAL) await byKey(walk)
  const document = await fastify.inject({ url: '/docs/json' })
  const missing = operationsOf(document.json().paths).filter(operation => {
    const pattern = new RegExp(`^${operation.replaceAll('*', '[^/]+')}$`)
    return !walked.some(request => pattern.test(request))
  })
  t.same(missing, [])
  await fastify.close()
  t.match(await execute(admin, 'select count(*) > 0 as counted from client_key_usage'), [{ counted: true }])
  t.match(await execute(admin, 'select count(*) > 0 as counted from rate_counters'), [{ counted: true }])
})

const REFUSED = [
  'alter table audits disable trigger all',
  'alter table audits disable trigger audits_never_changed',
  'drop trigger audits_never_changed on audits',
  'drop function audits_append_only cascade',
  'alter function audit_head_follows security invoker',
  'set session_replication_role = replica',
  'truncate audits',
  'truncate rate_counters',
  'drop table audits',
  'drop table client_key_usage_20260131',
  'delete from audits',
  "update audits set hash = ''",
  'update audit_head set sequence = 0',
  'delete from client_keys',
  'delete from environment_key_revocations',
  'delete from database_marks',
  "insert into database_marks values ('sample', '')",
  'delete from __drizzle_migrations',
  'create table mine (x text)',
  'create index on audits (at)',
  'alter table client_key_usage detach partition client_key_usage_20260131'
]

const MOVE_HEAD = `
  create temp table mine (sequence bigint, hash text);
  create trigger moves after insert on mine for each row execute function audit_head_follows()
`

test("the serving role can't change tables or the audit trail", { skip }, async t => {
  const { admin, serving } = await prepareRoles(t)
  await execute(serving, "select make_usage_day('2026-01-31')")
  const [server, unrelated] = [await connectDirectly(t, serving), await newRole(t, admin)]
  for (const statement of [...REFUSED, MOVE_HEAD]) {
    await t.rejects(server.query(statement), { code: '42501' }, statement)
  }
  await execute(
    admin,
    `do $$ begin execute 'grant usage on schema ' || current_schema() || ' to ${unrelated.name}'; end $$`
  )
  for (const call of ["make_usage_day('2026-02-01')", "drop_usage_days('2026-02-01')"]) {
    await t.rejects(execute(unrelated.url, `select ${call}`), { code: '42501' }, call)
  }
})

const PARTITIONS = "select relname as name from pg_class where relispartition and relkind = 'r'"

const dayAfter = (days: number): string => new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10)

test('the serving role can drop partitions with the counts of earlier days, but nothing else', { skip }, async t => {
  const { admin, serving } = await prepareRoles(t)
  const server = await connectDirectly(t, serving)
  const kept = [-1, 0, 1, 2].map(dayAfter)
  for (const day of ['2026-01-31', ...kept]) await server.query('select make_usage_day($1)', [day])
  await execute(
    admin,
    `create table archive (like client_key_usage including all);
    alter table client_key_usage attach partition archive for values from ('2020') to ('2021');
    create table client_key_usage_20200101 (x text)`
  )
  const names = async () => ((await execute(admin, PARTITIONS)) as { name: string }[]).map(({ name }) => name).sort()
  const left = (days: readonly string[]): string[] =>
    [...days.map(day => `client_key_usage_${day.replaceAll('-', '')}`), 'archive'].sort()
  // At midnight, the current day's partition becomes a partition of an earlier day.
  await server.query('select drop_usage_days($1)', [kept[0]])
  t.same(await names(), left(kept))
  for (const day of ['9999-12-31', '~', 'client']) await server.query('select drop_usage_days($1)', [day])
  t.same((await names()).slice(-2), left(kept.slice(2)).slice(-2))
  t.equal((await names())[0], 'archive')
  t.match(await execute(admin, "select to_regclass('client_key_usage_20200101') is not null as found"), [
    { found: true }
  ])
  for (const day of ['2026-02-30', '20260131', "2026-01-31'); drop table audits; --", '']) {
    await t.rejects(server.query('select make_usage_day($1)', [day]), { code: /^(P0001|22008)$/ }, day)
  }
})

const SHADOWS = `
  create temp table audit_head (like audit_head);
  create temp table client_key_usage (like client_key_usage) partition by range (day);
`
const ENTRY = `
  insert into audits values (1, '', '', '', '', '', '', '', '{}', null, null, repeat('0', 64), 'next');
`

test('temporary tables that the serving role creates do not hide the real tables', { skip }, async t => {
  const { admin, serving } = await prepareRoles(t)
  const server = await connectDirectly(t, serving)
  await server.query(SHADOWS)
  await server.query("insert into audit_head values (1, 9, 'old')")
  await server.query(ENTRY)
  await server.query("select make_usage_day('2026-01-31')")
  t.match(await execute(admin, 'select sequence::int, hash from audit_head'), [{ sequence: 1, hash: 'next' }])
  for (const [sequence, previous] of [
    ['9223372036854775807', 'next'],
    ['3', 'next'],
    ['2', 'another']
  ]) {
    const entry = ENTRY.replace('(1, ', `(${String(sequence)}, `).replace("repeat('0', 64)", `'${String(previous)}'`)
    await t.rejects(server.query(entry), /append-only/, 'the entry does not follow the last one')
  }
  t.match(await execute(admin, PARTITIONS), [{ name: 'client_key_usage_20260131' }])
})

test("the serving role has privileges on a later version's tables before its grants are renewed", { skip }, async t => {
  const { owner, server, serving } = await prepareRoles(t)
  await execute(owner, 'create table later (x text)')
  await execute(serving, "insert into later values ('x')")
  await execute(owner, `grant delete on audits to ${server.name}`)
  await grantNodePrivileges(owner, server)
  await t.rejects(execute(serving, 'truncate later'), { code: '42501' })
  t.match(await execute(owner, `select has_table_privilege('${server.name}', 'audits', 'delete') as may`), [
    { may: false }
  ])
})
