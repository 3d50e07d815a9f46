import { setImmediate as nextTurn } from 'node:timers/promises'
import { test } from 'tap'
import { createConfirmation } from '../../../../domain/keys/freshness/confirmation.ts'
import type { Pending } from '../../../../domain/keys/freshness/confirmation.ts'
import { createEvictions } from '../../../../domain/keys/freshness/evictions.ts'
import type { Eviction } from '../../../../domain/keys/freshness/evictions.ts'
import { immediateReceipt } from '../../../../domain/keys/freshness/receipt.ts'
import { ReceiptJson, toReceiptJson } from '../../../../http/representations/receipts.ts'

const CHANGE = { epoch: 7, nonce: 'a' }

const silent = { id: 'a', leaseMs: 100, evictedAt: null }

/** Creates a confirmation whose clock advances only while it pauses. */
const createWorld = (pendingAfter: (pauses: number) => Pending) => {
  const pauses: number[] = []
  const evicted: number[] = []
  let now = 1000
  const clock = { monotonic: () => now, wall: () => 0 }
  const evictions = createEvictions(clock)
  const store = {
    pending: async () => pendingAfter(pauses.length),
    evict: async (epoch: number): Promise<Eviction[]> => {
      evicted.push(epoch)
      return []
    }
  }
  const confirm = createConfirmation({
    clock,
    evictions,
    now: () => 1e12 + now,
    sleep: async ms => {
      pauses.push(ms)
      now += ms
    },
    store
  })
  const pass = (ms: number): void => {
    now += ms
  }
  return { confirm, store, pauses, evicted, evictions, pass, now: () => now }
}

test('a change is confirmed as soon as every node has acknowledged it', async t => {
  const none = createWorld(() => ({ nodes: 0, acknowledged: 0, silent: [] }))
  t.same(await none.confirm(CHANGE, 1000), { ...immediateReceipt(CHANGE, new Date(1e12 + 1000)) })
  const { confirm, pauses, evicted } = createWorld(paused => ({
    nodes: 3,
    acknowledged: paused < 6 ? 2 : 3,
    silent: paused < 6 ? [{ ...silent, leaseMs: 2000 }] : []
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

test("a change waits until a silent node's lease has expired by any clock, then evicts the node", async t => {
  for (const fails of [false, true]) {
    const { confirm, store, evicted } = createWorld(() => ({ nodes: 3, acknowledged: 2, silent: [silent] }))
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

test('a confirmation waits for the eviction only on request, and resolves even if the eviction fails', async t => {
  for (const fails of [false, true]) {
    const { confirm, store } = createWorld(() => ({ nodes: 1, acknowledged: 0, silent: [silent] }))
    let finish = (): void => {}
    store.evict = async () => {
      await new Promise<void>(resolve => {
        finish = resolve
      })
      if (fails) throw new Error('lost')
      return []
    }
    t.match(await confirm(CHANGE, 1000), { leasesEnded: 1 })
    finish()
    let isConfirmed = false
    const confirmed = confirm(CHANGE, 1000, { awaitsEviction: true }).finally(() => {
      isConfirmed = true
    })
    await nextTurn()
    t.notOk(isConfirmed)
    finish()
    t.match(await confirmed, { leasesEnded: 1 })
  }
})

test('a change waits for an evicted node only once, and the wait begins when the eviction is first seen', async t => {
  const gone = { ...silent, evictedAt: '2026-01-01T00:00:00.000Z' }
  let listed = gone
  const { confirm, evicted, pass, now } = createWorld(() => ({ nodes: 1, acknowledged: 0, silent: [listed] }))
  const first = await confirm(CHANGE, now())
  t.ok(first.waitedMs > 130, 'the node may have renewed its lease just before the eviction')
  t.match(await confirm(CHANGE, now()), { waitedMs: 0, leasesEnded: 1 })
  listed = { ...gone, evictedAt: '2026-01-01T00:00:00.100Z' }
  pass(50)
  const again = await confirm(CHANGE, now())
  t.ok(again.waitedMs > 130, 'a restored backup contained the node, and it was evicted again')
  t.same(evicted, [], 'it is not evicted again')
})

test('an eviction is removed together with its node', t => {
  const { evictions, pass } = createWorld(() => ({ nodes: 0, acknowledged: 0, silent: [] }))
  const gone = { id: 'a', evictedAt: 'then' }
  evictions.add([gone])
  pass(10)
  evictions.replace([gone, { ...gone, id: 'b' }])
  t.same([evictions.age(gone), evictions.age({ ...gone, id: 'b' })], [10, 0])
  evictions.replace([])
  t.equal(evictions.age(gone), 0)
  t.end()
})

test('a change neither waits for nor evicts a node without a lease', async t => {
  const { confirm, pauses, evicted } = createWorld(() => ({ nodes: 1, acknowledged: 0, silent: [] }))
  t.match(await confirm(CHANGE, 1000), { nodes: 1, acknowledged: 0, leasesEnded: 1, waitedMs: 0 })
  t.same([pauses, evicted], [[], []])
})

test('there is no receipt if the store is unreachable', async t => {
  const { confirm } = createWorld(() => {
    throw new Error('the database is unreachable')
  })
  await t.rejects(confirm(CHANGE, 1000), { message: 'the database is unreachable' })
})

test('a receipt is JSON with the properties in its schema', t => {
  const json = toReceiptJson(immediateReceipt(CHANGE, new Date(0)))
  t.same(Object.keys(json), Object.keys(ReceiptJson.properties))
  t.same(ReceiptJson.required, Object.keys(json))
  t.end()
})
