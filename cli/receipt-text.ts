import type { ChangedKey } from '../domain/keys/freshness/receipt.ts'

/** One line that tells who obeys a change. */
export const receiptText = ({ epoch, receipt }: Omit<ChangedKey, 'key'>): string => {
  if (receipt === null) {
    const lost = 'the database was lost before it was known whether every node obeys'
    return `Receipt ${epoch}: ${lost}. Ask GET /receipts/${epoch}.`
  }
  const { effectiveAt, nodes, acknowledged, leasesEnded, waitedMs } = receipt
  const since = `Receipt ${epoch}: every request since ${effectiveAt.toISOString()} obeys`
  if (nodes === 0) return `${since}.`
  const ended = leasesEnded === 0 ? '' : `, ${leasesEnded} ${leasesEnded === 1 ? 'lease' : 'leases'} ended`
  return `${since}: ${acknowledged} of ${nodes} nodes acknowledged${ended}, after ${waitedMs} ms.`
}
