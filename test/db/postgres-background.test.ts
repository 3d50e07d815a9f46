import { inspect } from 'node:util'
import { test } from 'tap'
import { openStorage } from '../../db/open.ts'
import { createPostgresCounters } from '../../db/postgres/limits.ts'
import { required } from '../helper.ts'
import { emptyPostgres, execute } from '../postgres.ts'
import { createReports } from '../reports.ts'
import { counterNode } from './counter-node.ts'

const FAIL = `
  create or replace function fail() returns trigger language plpgsql as $$
  begin raise exception 'the disk is full' using detail = 'row ' || new.id; end $$;
`
const FAIL_UPDATES = `${FAIL} create trigger fail before update on nodes for each row execute function fail()`
const WORK_AGAIN = 'drop function fail cascade'

const CHANGE = `
  insert into client_key_changes (epoch, key_id, at) select max(epoch) + 1, 'k', '2026-01-01' from client_key_changes
  returning epoch::int, nonce`

const change = async (url: string): Promise<{ epoch: number; nonce: string }> =>
  required((await execute(url, CHANGE))[0] as { epoch: number; nonce: string } | undefined, 'the change')

/** Returns all strings in an error that could be logged. */
const textOf = (error: unknown): string => inspect(error, { depth: 10, showHidden: true })

const idOf = async (url: string): Promise<string> =>
  required((await execute(url, 'select id from nodes'))[0] as { id: string } | undefined, 'the node').id

test('consecutive failed renewals are reported once, and so is the recovery', async t => {
  const url = await emptyPostgres()
  if (url === null) return
  const { reports, background } = createReports()
  // Without a lease, each barrier renews once.
  const { keyLookup, close } = await openStorage(url, { leaseMs: 0, background })
  t.teardown(close)
  await keyLookup.barrier()
  const id = await idOf(url)
  await execute(url, 'alter table nodes rename to hidden')
  await t.rejects(keyLookup.barrier(), { code: 'LEASE_LOST' })
  await t.rejects(keyLookup.barrier(), { code: 'LEASE_LOST' })
  t.match(reports, [{ work: "renew this node's lease", error: { message: /"nodes" does not exist/ } }])
  t.notMatch(textOf(reports), id)
  await execute(url, 'alter table hidden rename to nodes')
  await keyLookup.barrier()
  t.match(reports.slice(1), [{ work: "renew this node's lease", error: null }])
})

test("if a node can't acknowledge a change or deregister, the failure is reported", async t => {
  const url = await emptyPostgres()
  if (url === null) return
  const { reports, background, next } = createReports()
  const { keyLookup, close } = await openStorage(url, { leaseMs: 0, background })
  t.teardown(close)
  await keyLookup.barrier()
  const id = await idOf(url)
  await execute(url, FAIL_UPDATES)
  await change(url)
  const failed = next()
  await keyLookup.barrier()
  t.match(await failed, { work: 'acknowledge changes to client keys', error: { message: 'the disk is full' } })
  await execute(url, WORK_AGAIN)
  const recovered = next()
  await keyLookup.barrier()
  t.same(await recovered, { work: 'acknowledge changes to client keys', error: null })

  await execute(url, 'alter table nodes rename to hidden')
  await close()
  await execute(url, 'alter table hidden rename to nodes')
  t.match(reports.slice(2), [{ work: 'deregister this node', error: { message: /"nodes" does not exist/ } }])
  t.notMatch(textOf(reports), id)
})

test("if a node can't be evicted, the failure is reported, and the change is still confirmed", async t => {
  const url = await emptyPostgres()
  if (url === null) return
  const { reports, background, next } = createReports()
  const { keys, close } = await openStorage(url, { background })
  t.teardown(close)
  const id = '00000000-0000-4000-8000-000000000001'
  await execute(
    url,
    `insert into nodes (id, name, version, started_at, acked, lease_ms) values ('${id}', 'n', '1', '2026-01-01', 0, 1)`
  )
  await execute(url, FAIL_UPDATES)
  const failed = next()
  const receipt = await keys.confirm?.(await change(url), performance.now())
  await failed
  await execute(url, WORK_AGAIN)
  t.match(receipt, { nodes: 1, acknowledged: 0, leasesEnded: 1 })
  t.match(reports, [{ work: 'evict nodes that did not acknowledge a change', error: { message: 'the disk is full' } }])
  t.notMatch(textOf(reports), id)
})

test('a failure to remove counters is reported, and hits are still counted', async t => {
  const url = await emptyPostgres()
  if (url === null) return
  const { pool } = counterNode(t, url)
  const { background, next } = createReports()
  const { hit } = createPostgresCounters(async (text, values) => await pool.query(text, values), background)
  await execute(
    url,
    `${FAIL.replace('new.id', "'unknown'")} create trigger fail before delete on rate_counters execute function fail()`
  )
  const failed = next()
  for (let statements = 1; statements < 500; statements++) await hit('a', 3600)
  t.equal((await hit('a', 3600)).hits, 500)
  t.match(await failed, { work: 'remove expired counters', error: { cause: { message: 'the disk is full' } } })
  await execute(url, WORK_AGAIN)
})

test('a change that cannot be confirmed because the database is unreachable fails like any other request', async t => {
  const url = await emptyPostgres()
  if (url === null) return
  const { keys, close } = await openStorage(url)
  const made = await change(url)
  await close()
  await t.rejects(required(keys.confirm, 'the confirmation')(made, performance.now()), { code: 'SERVICE_UNAVAILABLE' })
})
