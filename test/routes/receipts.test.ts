import { test } from 'tap'
import { world } from '../helper.ts'
import { postgresDatabase } from '../postgres.ts'

test('each change of a key has a receipt, which can be asked for again', async t => {
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
    const { epoch, effective_at: effectiveAt } = json.receipt
    t.ok(epoch > last)
    t.ok(Date.parse(effectiveAt) <= Date.now())
    last = epoch
    const again = await call('GET', `/receipts/${epoch}`)
    t.match(again, { status: 200, json: { epoch, leases_ended: 0 } })
    t.ok(again.json.effective_at >= effectiveAt)
  }
  t.match(await call('GET', `/receipts/${last + 1}`), { status: 404, json: { code: 'RECEIPT_NOT_FOUND' } })
  for (const epoch of ['0', '-1', 'x', '1.5', '9007199254740992']) {
    t.equal((await call('GET', `/receipts/${epoch}`)).status, 422, epoch)
  }
  t.equal((await call('GET', '/receipts/9007199254740991')).status, 404)
  t.equal((await call('GET', '/nodes')).status, 200)
})

test('on PostgreSQL the receipt of a change counts the nodes, also when it is asked for again', async t => {
  const DATABASE_URL = await postgresDatabase(t)
  if (DATABASE_URL === null) return
  const { call } = await world(t, { DATABASE_URL })
  const { id } = (await call('POST', '/client_keys', { name: 'k' })).json
  const { epoch } = (await call('POST', `/client_keys/${id}/revoke`)).json.receipt
  t.match(await call('GET', `/receipts/${epoch}`), { status: 200, json: { epoch, nodes: 1, acknowledged: 1 } })
})
