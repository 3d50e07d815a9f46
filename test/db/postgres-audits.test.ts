import tap, { test } from 'tap'
import type { AuditFilter } from '../../domain/audits/rows.ts'
import { execute, postgresDatabase } from '../postgres.ts'
import { postgres } from '../contract/engines.ts'

const skip = (await postgresDatabase(tap)) === null

const entryAt = (sequence: number, action: string): string => `
  insert into audits (sequence, at, actor_kind, actor_id, actor_name, action, subject_type, subject_id, changes, previous_hash, hash)
  values (${sequence}, '2026-02-01T00:00:00.000Z', 'cli', '0', 'operator', '${action}', 'app', '1', '{}', '', '')`

test('entries are found however far apart those are that pass a filter', { skip }, async t => {
  const { url, read } = await postgres(t)
  for (const [sequence, action] of [
    [1, 'a'],
    [2, 'b'],
    [150_000, 'a'],
    [9_000_000_000_000, 'b']
  ] as const) {
    await execute(url, entryAt(sequence, action))
  }
  const found = async (filter: AuditFilter, limit = 10, before?: number): Promise<number[]> =>
    (await read(async ({ audits }) => await audits.newest(filter, { limit, before }))).map(({ sequence }) => sequence)
  t.same(await found({}), [9_000_000_000_000, 150_000, 2, 1])
  t.same(await found({ action: 'a' }), [150_000, 1])
  t.same(await found({ action: 'a' }, 1), [150_000])
  t.same(await found({ action: 'b' }, 10, 150_000), [2])
  const at = new Date('2026-02-01')
  const all = { subjectType: 'app', subjectId: '1', actorKind: 'cli', actorId: '0', since: at }
  t.equal((await found(all)).length, 4)
  for (const other of [{ subjectType: 'o' }, { subjectId: '2' }, { actorKind: 'o' }, { actorId: '1' }, { until: at }]) {
    t.same(await found({ ...all, ...other }), [], Object.keys(other).join())
  }
})

test('a trail that has lost its head says so', { skip }, async t => {
  const { url, read } = await postgres(t)
  await execute(url, 'delete from audit_head')
  await t.rejects(
    read(async ({ audits }) => await audits.head()),
    { message: /the audit trail has lost its head/ }
  )
})
