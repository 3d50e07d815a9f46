import { test } from 'tap'
import type { Audit } from '../../../domain/audits/audit.ts'
import { GENESIS, hashOf, verifyTrail } from '../../../domain/audits/chain.ts'
import type { AuditHead } from '../../../domain/audits/rows.ts'
import { at } from '../../helper.ts'

const entry = (sequence: number, previousHash: string): Audit => {
  const content = {
    sequence,
    at: new Date('2026-01-05T09:00:00.000Z'),
    actor: { kind: 'cli', id: '0', name: 'root' },
    action: 'app.update',
    subject: { type: 'app', id: 'x' },
    changes: '{}',
    address: null,
    requestId: null,
    previousHash
  }
  return { ...content, hash: hashOf(content) }
}

const trail = (length: number): Audit[] => {
  const entries: Audit[] = []
  for (let i = 1; i <= length; i++) entries.push(entry(i, entries.at(-1)?.hash ?? GENESIS))
  return entries
}

const verify = async (entries: Audit[], written: AuditHead, noted?: AuditHead) =>
  await verifyTrail(
    (async function* () {
      yield* entries
    })(),
    written,
    noted
  )

const headOf = (entries: Audit[]): AuditHead => entries.at(-1) ?? { sequence: 0, hash: GENESIS }

test('every forgery of an audit trail is detected, at the first forged entry', async t => {
  const good = trail(5)
  const head = headOf(good)
  t.same(await verify(good, head), { whole: true, head: { sequence: 5, hash: at(good, 4).hash } })
  t.same(await verify([], headOf([])), { whole: true, head: { sequence: 0, hash: GENESIS } })
  t.match(await verify(good.toSpliced(2, 1), head), { whole: false, sequence: 3, fault: 'was removed' })
  t.match(await verify(good.slice(0, 3), head), { whole: false, sequence: 4, fault: 'was removed' })
  t.match(await verify([entry(-1, GENESIS), ...good], head), { whole: false, sequence: -1, fault: 'was inserted' })
  t.match(await verify(good.with(2, { ...at(good, 2), action: 'app.delete' }), head), {
    whole: false,
    sequence: 3,
    fault: 'was altered'
  })
  const forged = { ...at(good, 2), action: 'app.delete' }
  t.match(await verify(good.with(2, { ...forged, hash: hashOf(forged) }), head), {
    whole: false,
    sequence: 3,
    fault: /was altered or replaced: entry 4/
  })
  t.match(await verify(good.with(0, entry(1, 'x'.repeat(64))), head), {
    whole: false,
    sequence: 1,
    fault: 'was altered'
  })
  const noted = { sequence: 3, hash: at(good, 2).hash }
  t.match(await verify(good, head, noted), { whole: true })
  t.match(await verify(trail(2), headOf(trail(2)), noted), { whole: false, sequence: 3, fault: 'was removed' })
  const remade = trail(5)
    .map((one, i) => ({ one, i }))
    .reduce<Audit[]>((made, { i }) => {
      const content = { ...entry(i + 1, made.at(-1)?.hash ?? GENESIS), action: 'app.create' }
      return [...made, { ...content, hash: hashOf(content) }]
    }, [])
  t.match(await verify(remade, head), { whole: false, sequence: 5, fault: /is not the one that was appended/ })
  t.match(
    await verify(remade, headOf(remade)),
    { whole: true },
    'a completely rewritten trail is detected only with a noted head'
  )
  t.match(await verify(remade, headOf(remade), noted), { whole: false, sequence: 3, fault: /noted/ })
})
