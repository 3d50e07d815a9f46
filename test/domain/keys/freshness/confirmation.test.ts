import { test } from 'tap'
import { createConfirmation } from '../../../../domain/keys/freshness/confirmation.ts'
import type { Pending } from '../../../../domain/keys/freshness/confirmation.ts'
import { immediateReceipt } from '../../../../domain/keys/freshness/receipt.ts'
import { ReceiptJson, toReceiptJson } from '../../../../http/representations/receipts.ts'

const CHANGE = { epoch: 7, nonce: 'a' }

/** A confirmation whose time passes in its pauses only. */
const createWorld = (pendingAfter: (pauses: number) => Pending) => {
  const pauses: number[] = []
  const evicted: number[] = []
  let now = 1000
  const store = {
    pending: async () => pendingAfter(pauses.length),
    evict: async (epoch: number) => {
      evicted.push(epoch)
    }
  }
  const confirm = createConfirmation({
    clock: { monotonic: () => now, wall: () => 1e12 + now },
    sleep: async ms => {
      pauses.push(ms)
      now += ms
    },
    store
  })
  return { confirm, store, pauses, evicted }
}

test('a change is confirmed as soon as every node has acknowledged it', async t => {
  const none = createWorld(() => ({ nodes: 0, acknowledged: 0, leaseMs: 0 }))
  t.same(await none.confirm(CHANGE, 1000), { ...immediateReceipt(CHANGE, new Date(1e12 + 1000)) })
  const { confirm, pauses, evicted } = createWorld(paused => ({
    nodes: 3,
    acknowledged: paused < 6 ? 2 : 3,
    leaseMs: paused < 6 ? 2000 : 0
  }))
  t.same(await confirm(CHANGE, 999.6), {
    id: `7-${CHANGE.nonce}`,
    epoch: 7,
    effectiveAt: new Date(1e12 + 1035),
    nodes: 3,
    acknowledged: 3,
    leasesEnded: 0,
    waitedMs: 35
  })
  t.same([pauses, evicted], [[1, 2, 4, 8, 10, 10], []])
})

test('a node that says nothing is waited for until its lease has ended by any clock, and is evicted', async t => {
  for (const fails of [false, true]) {
    const { confirm, store, evicted } = createWorld(() => ({ nodes: 3, acknowledged: 2, leaseMs: 100 }))
    if (fails) {
      store.evict = async () => {
        throw new Error('lost')
      }
    }
    const receipt = await confirm(CHANGE, 1000)
    t.match(receipt, { nodes: 3, acknowledged: 2, leasesEnded: 1 })
    t.ok(receipt.waitedMs > 130 && receipt.waitedMs <= 140, `${receipt.waitedMs} ms`)
    t.same(evicted, fails ? [] : [7])
  }
})

test('a node without a lease is neither waited for nor evicted', async t => {
  const { confirm, pauses, evicted } = createWorld(() => ({ nodes: 1, acknowledged: 0, leaseMs: 0 }))
  t.match(await confirm(CHANGE, 1000), { nodes: 1, acknowledged: 0, leasesEnded: 1, waitedMs: 0 })
  t.same([pauses, evicted], [[], []])
})

test('where the store can not be asked there is no receipt', async t => {
  const { confirm } = createWorld(() => {
    throw new Error('the database is away')
  })
  await t.rejects(confirm(CHANGE, 1000), { message: 'the database is away' })
})

test('a receipt is JSON with the properties that its schema has', t => {
  const json = toReceiptJson(immediateReceipt(CHANGE, new Date(0)))
  t.same(Object.keys(json), Object.keys(ReceiptJson.properties))
  t.same(ReceiptJson.required, Object.keys(json))
  t.end()
})
