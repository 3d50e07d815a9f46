import { copyFileSync } from 'node:fs'
import { randomUUID } from 'node:crypto'
import { test } from 'tap'
import type { Test } from 'tap'
import { createServer } from '../../app.ts'
import { inSqlite } from '../cli/copied.ts'
import { onlyOnSqlite, settings, world } from '../helper.ts'
import type { Settings } from '../helper.ts'
import { execute, postgresDatabase } from '../postgres.ts'

const NOT_FOUND = { status: 404, json: { code: 'RECEIPT_NOT_FOUND' } }

test('each change to a key has a receipt, which can be read again', async t => {
  const { call } = await world(t)
  const { id } = (await call('POST', '/client_keys', { name: 'k' })).json
  const changes = [
    await call('PATCH', `/client_keys/${id}`, { enabled: false }),
    await call('POST', `/client_keys/${id}/rotate`, { grace_seconds: 0 }),
    await call('POST', `/client_keys/${id}/revoke`)
  ]
  let last = 0
  for (const { status, json } of changes) {
    t.equal(status, 200)
    const { id: receipt, epoch, effective_at: effectiveAt } = json.receipt
    t.ok(epoch > last)
    t.match(receipt, new RegExp(`^${epoch}-[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`))
    t.ok(Date.parse(effectiveAt) <= Date.now())
    last = epoch
    const again = await call('GET', `/receipts/${receipt}`)
    t.match(again, { status: 200, json: { id: receipt, epoch, leases_ended: 0 } })
    t.ok(again.json.effective_at >= effectiveAt)
  }
  const nonce = randomUUID()
  const other = `${last + 1}-${changes[2]?.json.receipt.id.slice(String(last).length + 1)}`
  for (const id of [other, `${last}-${nonce}`, `0-${nonce}`, `${'9'.repeat(16)}-${nonce}`, last, `${last}-`, 'x']) {
    t.match(await call('GET', `/receipts/${id}`), NOT_FOUND, String(id))
  }
  t.equal((await call('GET', '/nodes')).status, 200)
})

test('on PostgreSQL, the receipt of a change counts the nodes, even when it is read again', async t => {
  const DATABASE_URL = await postgresDatabase(t)
  if (DATABASE_URL === null) return
  const { call } = await world(t, { DATABASE_URL })
  const { id } = (await call('POST', '/client_keys', { name: 'k' })).json
  const { id: receipt, epoch } = (await call('POST', `/client_keys/${id}/revoke`)).json.receipt
  t.match(await call('GET', `/receipts/${receipt}`), { status: 200, json: { epoch, nodes: 1, acknowledged: 1 } })
})

/** Starts a service, and returns functions that change keys and read receipts. */
const start = async ({ env, key }: Settings) => {
  const fastify = await createServer(env)
  const headers = { authorization: `Bearer ${key.keyAccessToken}` }
  const ask = async (method: 'GET' | 'POST' | 'PATCH', url: string, payload?: object) => {
    const reply = await fastify.inject({ method, url, headers, ...(payload === undefined ? {} : { payload }) })
    return { status: reply.statusCode, json: reply.json() }
  }
  return {
    ask,
    issue: async (): Promise<string> => (await ask('POST', '/client_keys', { name: 'k' })).json.id,
    change: async (id: string): Promise<{ id: string; epoch: number }> =>
      (await ask('PATCH', `/client_keys/${id}`, { enabled: false })).json.receipt,
    stop: async () => {
      await fastify.close()
    }
  }
}

/** Changes a key, reverts the change with a restore, and changes the key again. */
const undo = async (t: Test, made: Settings, { save, restore }: { save: () => unknown; restore: () => unknown }) => {
  const before = await start(made)
  const key = await before.issue()
  const kept = await before.change(key)
  await before.stop()
  await save()
  const between = await start(made)
  const undone = await between.change(key)
  t.match(await between.ask('GET', `/receipts/${undone.id}`), { status: 200 })
  await between.stop()
  await restore()
  const after = await start(made)
  t.match(await after.ask('GET', `/receipts/${undone.id}`), NOT_FOUND)
  const other = await after.change(key)
  t.equal(other.epoch, undone.epoch, 'the epoch is reused')
  t.match(await after.ask('GET', `/receipts/${undone.id}`), NOT_FOUND, 'a receipt from another history is not returned')
  for (const { id } of [kept, other]) {
    t.match(await after.ask('GET', `/receipts/${id}`), { status: 200, json: { id } })
  }
  await after.stop()
}

test(
  'on SQLite, a change that a restore reverted has no receipt, even if its epoch is reused',
  onlyOnSqlite,
  async t => {
    const made = settings(t)
    const path = made.env.DATABASE_URL.slice('file:'.length)
    await undo(t, made, {
      save: () => {
        copyFileSync(path, `${path}.saved`)
      },
      restore: () => {
        copyFileSync(`${path}.saved`, path)
      }
    })
  }
)

test('on PostgreSQL, a change that a restore reverted has no receipt, even if its epoch is reused', async t => {
  const url = await postgresDatabase(t)
  if (url === null) return
  await undo(t, settings(t, { DATABASE_URL: url }), {
    save: async () => await execute(url, 'create table saved as select * from client_key_changes'),
    restore: async () =>
      await execute(
        url,
        'begin; delete from client_key_changes; insert into client_key_changes select * from saved; commit'
      )
  })
})

test('on SQLite, the last 10,000 changes have receipts', onlyOnSqlite, async t => {
  const made = await world(t)
  const { id } = (await made.call('POST', '/client_keys', { name: 'k' })).json
  const change = async () => (await made.call('PATCH', `/client_keys/${id}`, { enabled: false })).json.receipt
  const status = async (receipt: { id: string }) => (await made.call('GET', `/receipts/${receipt.id}`)).status
  const [first, second] = [await change(), await change()]
  inSqlite(made.env.DATABASE_URL, db => {
    for (let count = 0; count < 9999; count++) db.exec('update client_key_epoch set epoch = epoch + 1')
  })
  t.same([await status(first), await status(second)], [404, 200])
  inSqlite(made.env.DATABASE_URL, db => {
    const [count] = db.prepare<[], number>('select count(*) from client_key_changes').pluck().all()
    t.equal(count, 10_000)
  })
})
