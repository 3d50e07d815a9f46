import { test } from 'tap'
import type { Test } from 'tap'
import type { UnchainedAudit } from '../../domain/audits/audit.ts'
import { chained, GENESIS } from '../../domain/audits/chain.ts'
import type { AuditReads, AuditRows } from '../../domain/audits/rows.ts'
import { appendAudit, createAuditService } from '../../domain/audits/service.ts'
import type { Transactor } from '../../domain/transactor.ts'
import { at, operator } from '../helper.ts'

type AuditStore = Transactor<{ readonly audits: AuditReads }, { readonly audits: AuditRows }>

const AT = new Date('2026-02-01T00:00:00.000Z')

const unchained = (subject: string): UnchainedAudit => ({
  at: AT,
  actor: operator.actor,
  action: 'app.update',
  subject: { type: 'app', id: subject },
  changes: '{"name":{"to":"é, \\"x\\" and \\\\"}}',
  address: '10.0.0.1',
  requestId: null
})

/** Defines the tests that `AuditStore` must pass on every engine. `open` opens a new, empty store. */
export const auditRowsContract = (engine: string, open: (t: Test) => Promise<AuditStore>): void => {
  test(`${engine}: an appended entry is read unchanged, and becomes the head`, async t => {
    const { read, write } = await open(t)
    t.same(await read(async ({ audits }) => await audits.head()), { sequence: 0, hash: GENESIS })
    const first = chained(unchained('app 1'), { sequence: 0, hash: GENESIS })
    const second = chained(unchained('\u2028 app "2"'), first)
    await write(async ({ audits }) => {
      await audits.append(unchained('app 1'))
      await audits.append(unchained('\u2028 app "2"'))
    })
    t.same(await read(async ({ audits }) => await audits.head()), { sequence: 2, hash: second.hash })
    t.same(await read(async ({ audits }) => await audits.inOrder({ limit: 10, after: 0 })), [first, second])
    t.same(await read(async ({ audits }) => await audits.inOrder({ limit: 1, after: -5 })), [first])
    t.same(await read(async ({ audits }) => await audits.newest({}, { limit: 10 })), [second, first])
    t.same(await read(async ({ audits }) => await audits.newest({}, { limit: 10, before: 2 })), [first])
    t.same(await read(async ({ audits }) => await audits.newest({ subjectId: 'app 1' }, { limit: 1 })), [first])
    t.same(await read(async ({ audits }) => await audits.newest({ since: AT, until: AT }, { limit: 1 })), [])
  })

  test(`${engine}: concurrent appends keep the audit trail intact, and a failed append leaves no gap`, async t => {
    const store = await open(t)
    const writes = Array.from({ length: 30 }, async (_, index) => {
      await store.write(async ({ audits }) => {
        await appendAudit(audits, {
          at: AT,
          source: operator,
          action: 'app.update',
          subject: { type: 'app', id: String(index) },
          changes: {}
        })
        if (index % 3 === 0) throw new Error('the change failed')
      })
    })
    t.equal((await Promise.allSettled(writes)).filter(({ status }) => status === 'rejected').length, 10)
    const audits = createAuditService(store)
    const { sequence } = await audits.head()
    t.equal(sequence, 20)
    t.match(await audits.verify(), { whole: true, head: { sequence: 20 } })
    t.equal(at((await audits.page({}, { limit: 1 })).audits).sequence, 20)
  })
}
