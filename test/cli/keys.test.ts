import { test } from 'tap'
import { immediateReceipt } from '../../domain/keys/freshness/receipt.ts'
import { receiptText } from '../../cli/keys.ts'

test('a receipt is one line with the time from which the change applies to all requests, and how this was confirmed', async t => {
  const at = new Date('2026-01-05T09:00:00.014Z')
  const id = '7-7d7a3c51-6b0f-4a43-9d0e-1f6f0b6b3c55'
  const receipt = { ...immediateReceipt({ epoch: 7, nonce: id.slice(2) }, at), nodes: 4, acknowledged: 4, waitedMs: 14 }
  const text = (change: object = {}) => receiptText({ receiptId: id, receipt: { ...receipt, ...change } })
  const since = `Receipt ${id}: the change has applied to every request since 2026-01-05T09:00:00.014Z`
  t.equal(text(), `${since}; 4 of 4 nodes acknowledged it, after 14 ms.`)
  t.equal(
    text({ acknowledged: 3, leasesEnded: 1 }),
    `${since}; 3 of 4 nodes acknowledged it, 1 lease ended, after 14 ms.`
  )
  t.equal(
    text({ acknowledged: 2, leasesEnded: 2 }),
    `${since}; 2 of 4 nodes acknowledged it, 2 leases ended, after 14 ms.`
  )
  t.equal(text({ nodes: 0, acknowledged: 0 }), `${since}.`)
  t.match(
    receiptText({ receiptId: id, receipt: null }),
    new RegExp(`^Receipt ${id}: the database became unavailable .* Check GET /receipts/${id}\\.$`)
  )
})
