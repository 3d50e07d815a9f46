import tap, { test } from 'tap'
import type { Test } from 'tap'
import type { NewAudit } from '../../domain/audits/audit.ts'
import type { AuditFilter } from '../../domain/audits/rows.ts'
import { appendAudit } from '../../domain/audits/service.ts'
import { OutcomeUnknown } from '../../domain/errors.ts'
import { connectDirectly, connectPostgres, postgres } from '../contract/engines.ts'
import { operator } from '../helper.ts'
import { execute, postgresDatabase } from '../postgres.ts'

const skip = (await postgresDatabase(tap)) === null

/** Returns a statement that inserts an entry with any sequence number, as the owner and without the trigger. */
const entryAt = (sequence: number, action: string): string => `
  alter table audits disable trigger audit_head_follows;
  insert into audits (sequence, at, actor_kind, actor_id, actor_name, action, subject_type, subject_id, changes, previous_hash, hash)
  values (${sequence}, '2026-02-01T00:00:00.000Z', 'cli', '0', 'operator', '${action}', 'app', '1', '{}', '', '');
  update audit_head set sequence = greatest(sequence, ${sequence});
  alter table audits enable trigger audit_head_follows`

test('entries that match a filter are found, even if they are far apart', { skip }, async t => {
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

const newEntry = (action: string): NewAudit => ({
  at: new Date('2026-02-01'),
  source: operator,
  action,
  subject: { type: 'app', id: '1' },
  changes: {}
})

/** Executes `up`, and executes `down` when the test ends. */
const prepare = async (t: Test, url: string, { up, down }: { up: string; down: string }): Promise<void> => {
  await execute(url, up)
  t.teardown(async () => {
    await execute(url, down)
  })
}

const REFUSAL = {
  up: "alter table audits add constraint audits_refused check (action <> 'refused')",
  down: 'alter table audits drop constraint audits_refused'
}

test('if an entry is rejected at commit, the transaction fails and stores nothing', { skip }, async t => {
  const { url } = await postgres(t)
  const { read, write } = await connectPostgres(t, url, 1)
  await prepare(t, url, REFUSAL)
  const append = async (action: string): Promise<void> => {
    await write(async ({ audits }) => {
      await appendAudit(audits, newEntry('before'))
      await appendAudit(audits, newEntry(action))
    })
  }
  await t.rejects(append('refused'), { message: /audits_refused/ })
  t.equal((await read(async ({ audits }) => await audits.head())).sequence, 0)
  await append('good')
  t.equal((await read(async ({ audits }) => await audits.head())).sequence, 2, 'the connection works again')
})

test("the statement after a rejected entry fails with the entry's error", { skip }, async t => {
  const { url, write } = await postgres(t)
  await prepare(t, url, REFUSAL)
  const work = write(async ({ audits, apps }) => {
    await appendAudit(audits, newEntry('refused'))
    await apps.isEmpty()
  })
  await t.rejects(work, { message: /audits_refused/ })
})

// The entry waits for a lock that the test holds, so the commit is sent later.
const WAIT = {
  up: `
    create function wait_for_test() returns trigger language plpgsql as $$
    begin perform pg_advisory_xact_lock(1); return new; end $$;
    create trigger wait_for_test before insert on audits for each row execute function wait_for_test()
  `,
  down: 'drop function wait_for_test cascade'
}
const TERMINATE = `
  select pg_terminate_backend(pid) from pg_stat_activity
  where datname = current_database() and wait_event = 'advisory'
`

test('a change whose connection is lost after it has appended its entry is not retried', { skip }, async t => {
  const { url, write } = await postgres(t)
  await prepare(t, url, WAIT)
  const holder = await connectDirectly(t, url)
  await holder.query('select pg_advisory_lock(1)')
  let runs = 0
  const work = write(async ({ audits }) => {
    runs++
    await appendAudit(audits, newEntry('lost'))
  })
  const rejected = t.rejects(work, new OutcomeUnknown())
  for (let isTerminated = false; !isTerminated;) isTerminated = (await holder.query(TERMINATE)).rowCount === 1
  await rejected
  t.equal(runs, 1)
})

// This test must be the last one, because nothing restores the head in this file's database.
test('an audit trail without a head is reported', { skip }, async t => {
  const { url, read } = await postgres(t)
  await execute(url, 'delete from audit_head')
  await t.rejects(
    read(async ({ audits }) => await audits.head()),
    { code: 'SERVICE_UNAVAILABLE', cause: { message: /the audit trail has no head/ } }
  )
})
