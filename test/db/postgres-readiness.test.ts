import { test } from 'tap'
import type { Test } from 'tap'
import { createDirectConnection } from '../../db/postgres/direct.ts'
import { readReadiness } from '../../db/postgres/nodes/readiness.ts'
import { world } from '../helper.ts'
import { emptyPostgres, execute, ownPostgres } from '../postgres.ts'

const skip = (await emptyPostgres()) === null && 'PostgreSQL is not available'

/** Starts a service on the emptied database, with two connections for everything except keys. */
const serviceOf = async (t: Test) => {
  const url = String(await emptyPostgres())
  const made = await world(t, { DATABASE_URL: url, DATABASE_POOL_SIZE: '2', KEY_LEASE_MS: '200' })
  const ready = async () => {
    const { statusCode, body } = await made.fastify.inject('/ready')
    return { status: statusCode, json: JSON.parse(body) as object }
  }
  return { ...made, url, ready }
}

const ACCEPTED = { status: 200, json: { status: 'ok', changes: 'accepted', failing: [] } }

test('a service is ready even when all its other connections are in use', { skip }, async t => {
  const { fastify, ready, call } = await serviceOf(t)
  const { storage } = fastify
  let release = (): void => {}
  const held = new Promise<void>(resolve => {
    release = resolve
  })
  const holders = [1, 2].map(async () => {
    await storage.write(async () => {
      await held
    })
  })
  t.same(await ready(), ACCEPTED)
  t.equal((await call('GET', '/client_keys/me')).status, 200)
  t.equal((await call('POST', '/client_keys', { name: 'k' })).status, 201)
  release()
  await Promise.allSettled(holders)
})

test('requests with keys are accepted while the database is refusing changes', { skip }, async t => {
  const { url, ready, call } = await serviceOf(t)
  const [{ name }] = (await execute(url, 'select current_database() as name')) as [{ name: string }]
  const dropConnections = `select pg_terminate_backend(pid) from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid()`
  await execute(url, `alter database ${name} set default_transaction_read_only = on`)
  await execute(url, dropConnections)
  t.same(await ready(), { status: 200, json: { status: 'ok', changes: 'refused', failing: ['primary'] } })
  t.equal((await call('GET', '/client_keys/me')).status, 200)
  t.match(await call('POST', '/client_keys', { name: 'k' }), { status: 503, json: { code: 'SERVICE_UNAVAILABLE' } })
  await execute(
    url,
    `begin; set transaction read write; alter database ${name} reset default_transaction_read_only; commit`
  )
  await execute(url, dropConnections)
  t.same(await ready(), ACCEPTED)
})

test('a service without its tables or its lease is not ready, and reports which is missing', { skip }, async t => {
  const { url, ready, call } = await serviceOf(t)
  await execute(url, 'alter table client_keys rename to hidden')
  t.match(await ready(), { status: 503, json: { code: 'NOT_READY', errors: [/^schema: /] } })
  await execute(url, 'alter table hidden rename to client_keys; alter table nodes rename to hidden')
  // Requests succeed until the lease expires.
  while ((await call('GET', '/client_keys/me')).status === 200);
  t.match(await ready(), { status: 503, json: { errors: [/^lease: /, /^schema: /] } })
  await execute(url, 'alter table hidden rename to nodes')
  while ((await ready()).status === 503);
  t.same(await ready(), ACCEPTED)
})

test('a service that is connected to a standby is not ready, because it may lack revocations', { skip }, async t => {
  const primary = await ownPostgres(t)
  if (primary === null) return
  const standby = await ownPostgres(t, primary)
  if (standby === null) return
  const lookups = createDirectConnection({ url: standby.url })
  t.teardown(lookups.close)
  const barrier = async (): Promise<void> => {
    await lookups.query({ text: 'select 1' })
  }
  const refused = await readReadiness({ barrier }, lookups)
  t.match(refused, { keys: false, changes: false, failing: ['lease', 'primary'] })
  t.match(refused.causes, [{ cause: { message: 'the server is a standby, not the primary' } }, {}])
})
