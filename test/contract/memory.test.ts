import { test } from 'tap'
import { createMemoryStore } from '../../db/memory/store.ts'
import { knownToken, required, operator } from '../helper.ts'
import { auditRowsContract } from './audit-rows.ts'
import { keyRowsContract } from './key-rows.ts'

keyRowsContract('memory', async () => createMemoryStore())
auditRowsContract('memory', async () => createMemoryStore())

test('memory: a transaction sees its own writes and removals, in order', async t => {
  const { read, write } = createMemoryStore()
  const count = (label: string) => ({ id: 'k', day: '2026-01-01', kind: 'scope', label, count: 1 }) as const
  const labels = async () =>
    (await read(async ({ keys }) => await keys.usage('k', { day: '' }))).map(({ label }) => label)
  await write(async ({ keys }) => {
    await keys.addUsage([count('a'), { ...count('b'), day: '2026-01-02' }])
  })
  await write(async ({ keys }) => {
    await keys.removeUsage({ day: '2026-01-02' })
    t.match(await keys.lockUsageLabels([count('a')]), [{ isStored: false, labels: 0 }], 'the label was removed')
    t.match(await keys.usage('k', { day: '' }), [{ label: 'b' }])
    await keys.addUsage([count('c'), count('a')])
    t.same(await labels(), ['a', 'b'], 'other transactions do not see that yet')
  })
  t.same(await labels(), ['a', 'c', 'b'])
})

test('memory: each filter finds the matching audit entries', async t => {
  const { read, write } = createMemoryStore()
  const at = new Date('2026-02-01')
  const { actor, address, requestId } = operator
  await write(async ({ audits }) => {
    await audits.append({
      at,
      actor,
      action: 'client_key.issue',
      subject: { type: 'client_key', id: 'k' },
      changes: '{}',
      address,
      requestId
    })
  })
  const isFound = async (filter: object) =>
    (await read(async ({ audits }) => await audits.newest(filter, { limit: 1 }))).length === 1
  const good = {
    subjectType: 'client_key',
    subjectId: 'k',
    actorKind: actor.kind,
    actorId: actor.id,
    action: 'client_key.issue',
    since: at,
    until: new Date(at.getTime() + 1)
  }
  t.ok(await isFound(good))
  for (const name of Object.keys(good)) {
    const other = name === 'since' ? new Date(at.getTime() + 1) : name === 'until' ? at : 'other'
    t.notOk(await isFound({ ...good, [name]: other }), name)
  }
})

test("memory: a removed token's use is not stored, and changing a row that does not exist has no effect", async t => {
  const { read, write } = createMemoryStore()
  const usage = { count: 1, lastUsedAt: new Date(), lastUsedIp: '::1', lastUsedAgent: null }
  await write(async ({ keys }) => {
    await keys.addTokenUsage([{ ...usage, digest: knownToken().digest }])
    await keys.revokeToken(knownToken().digest, new Date())
    await keys.update('nothing', { enabled: false })
  })
  t.same(await read(async ({ keys }) => await keys.page({}, { limit: 1, at: new Date() })), [])
})

test('memory: key lookups return committed rows, and a change invalidates earlier lookups', async t => {
  const { write, keyLookup } = createMemoryStore()
  const { digest } = knownToken()
  await keyLookup.barrier()
  const mark = required(keyLookup.mark() ?? undefined, 'a mark')
  const isFresh = () => keyLookup.isFresh(mark, 'k')
  t.same([isFresh(), keyLookup.findByDigest(digest), keyLookup.findRevocation(digest)], [true, null, null])
  const at = new Date('2026-02-01')
  await write(async ({ keys }) => {
    await keys.advanceRevision('k')
    await keys.revokeEnvironmentKey(digest, { at, reason: null })
    t.same([isFresh(), keyLookup.findRevocation(digest)], [true, null])
  })
  t.same([isFresh(), keyLookup.findRevocation(digest)], [false, at])
})
