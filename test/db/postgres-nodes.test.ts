import { randomUUID } from 'node:crypto'
import { setImmediate as turn, setTimeout as pause } from 'node:timers/promises'
import tap, { test } from 'tap'
import type { Test } from 'tap'
import type { BackgroundHooks } from '../../domain/background.ts'
import { createPool, bringUpToDate } from '../../db/postgres/connections.ts'
import { createDatabase } from '../../db/postgres/database.ts'
import { createDirectConnection } from '../../db/postgres/direct.ts'
import { createConfirmationStore } from '../../db/postgres/nodes/confirmation.ts'
import { startJanitor } from '../../db/postgres/nodes/janitor.ts'
import { createDatabaseTime } from '../../db/postgres/time.ts'
import { createEvictions } from '../../domain/keys/freshness/evictions.ts'
import { createLeaseStore } from '../../db/postgres/nodes/leases.ts'
import { createNodeReads } from '../../db/postgres/nodes/reads.ts'
import { required } from '../helper.ts'
import { createReports } from '../reports.ts'
import { execute, postgresDatabase } from '../postgres.ts'

const skip = (await postgresDatabase(tap)) === null

const [one, two, three] = [
  '00000000-0000-4000-8000-000000000001',
  '00000000-0000-4000-8000-000000000002',
  '00000000-0000-4000-8000-000000000003'
] as const

const CHANGE = `
  insert into client_key_changes (epoch, key_id, at) select max(epoch) + 1, 'k', '2026-01-01' from client_key_changes`

/** Opens a database without nodes, and returns the functions that nodes call. */
const nodesOf = async (t: Test) => {
  const url = required((await postgresDatabase(t)) ?? undefined, 'PostgreSQL')
  await bringUpToDate({ url })
  const pool = createPool({ url })
  const direct = createDirectConnection({ url }, () => {})
  t.teardown(async () => {
    await direct.close()
    await pool.end()
  })
  const db = createDatabase(pool)
  const startedAt = new Date('2026-01-01T00:00:00.000Z')
  return {
    url,
    db,
    leases: createLeaseStore({
      direct,
      db,
      time: createDatabaseTime(),
      node: { name: 'a node', version: '1', startedAt }
    }),
    confirmation: createConfirmationStore(direct, db),
    reads: createNodeReads(db, direct),
    change: async () => {
      await execute(url, CHANGE)
      const [head] = await execute(url, 'select epoch, nonce from client_key_changes order by epoch desc limit 1')
      const { epoch, nonce } = head as { epoch: string; nonce: string }
      return { epoch: Number(epoch), nonce }
    }
  }
}

test('a registered node receives the changes since its registration, until it is evicted', { skip }, async t => {
  const { leases, change, reads, confirmation } = await nodesOf(t)
  const head = await leases.register({ id: one, leaseMs: 2000 })
  t.match(await leases.renew(one, head), [{ ...head }], 'the change that the node already has is returned first')
  const next = await change()
  t.match(await leases.renew(one, head), [{ ...head }, { ...next, keyId: 'k' }])
  t.match(await reads.nodes(), [
    { id: one, name: 'a node', version: '1', epoch: head.epoch, behind: 1, leaseMs: 2000, evictedAt: null }
  ])
  t.same(await leases.renew(two, head), [], 'an unregistered node receives nothing')

  await confirmation.evict(next.epoch)
  t.same(await leases.renew(one, head), [])
  t.match(await reads.nodes(), [{ id: one, evictedAt: Date }])
  await leases.deregister(one)
  t.same(await reads.nodes(), [])
})

test('a waiting change sees which nodes have not acknowledged it, and their leases', { skip }, async t => {
  const { leases, change, confirmation } = await nodesOf(t)
  for (const [id, leaseMs] of [
    [one, 500],
    [two, 3000],
    [three, 0]
  ] as const) {
    await leases.register({ id, leaseMs })
  }
  const made = await change()
  t.same(await confirmation.pending(made), {
    nodes: 3,
    acknowledged: 0,
    silent: [
      { id: one, leaseMs: 500, evictedAt: null },
      { id: two, leaseMs: 3000, evictedAt: null }
    ]
  })
  await leases.acknowledge(two, made.epoch)
  await leases.acknowledge(two, made.epoch - 1)
  t.match(
    await confirmation.pending(made),
    { acknowledged: 1, silent: [{ id: one }] },
    'the acknowledged epoch never decreases'
  )
  await leases.acknowledge(one, made.epoch)
  t.same(
    await confirmation.pending(made),
    { nodes: 3, acknowledged: 2, silent: [] },
    'no change waits for a node without a lease'
  )
  t.same(await confirmation.evict(made.epoch), [])

  await t.rejects(
    confirmation.pending({ ...made, nonce: one }),
    /no longer in the database/,
    'the nonce is from another history'
  )
  await t.rejects(confirmation.pending({ ...made, epoch: made.epoch + 1 }), /no longer in the database/)
})

test('a change is found by its epoch and its nonce', { skip }, async t => {
  const { change, reads } = await nodesOf(t)
  const made = await change()
  t.ok(await reads.hasChange(made))
  t.notOk(await reads.hasChange({ ...made, epoch: made.epoch + 1 }))
  t.notOk(await reads.hasChange({ ...made, nonce: randomUUID() }))
})

test('a database without a change history is reported as incomplete', { skip }, async t => {
  const { url, leases } = await nodesOf(t)
  await execute(url, 'delete from client_key_changes')
  await t.rejects(leases.register({ id: one, leaseMs: 1 }))
  await execute(url, 'alter table nodes alter column acked drop not null')
  await t.rejects(leases.register({ id: one, leaseMs: 1 }), /history of changes is empty/)
})

/** Creates a janitor whose clock is controlled by the test. `pass` advances the clock, and waits for one run. */
const janitorOf = (
  { db }: Pick<Awaited<ReturnType<typeof nodesOf>>, 'db'>,
  wallStart: string,
  background?: BackgroundHooks
) => {
  let now = 0
  let due: (() => void) | null = null
  let scheduled = (): void => {}
  let others = 0
  const stop = startJanitor({
    db,
    leaseMs: 2000,
    evictions: createEvictions({ monotonic: () => now }),
    background,
    others: [
      async () => {
        others++
      }
    ],
    clock: { monotonic: () => now, wall: () => Date.parse(wallStart) + now },
    schedule: task => {
      due = task
      scheduled()
      return () => {
        due = null
      }
    }
  })
  const begin = (ms: number): void => {
    now += ms
    const task = due
    due = null
    task?.()
  }
  const pass = async (ms: number): Promise<void> => {
    const worked = new Promise<void>(resolve => {
      scheduled = resolve
    })
    begin(ms)
    await worked
  }
  const stopWhileWorking = (ms: number): void => {
    begin(ms)
    stop()
  }
  return { stop, stopWhileWorking, pass, isStopped: () => due === null, others: () => others }
}

test(
  'a janitor removes an evicted node after seeing it for two leases, and removes no other node',
  { skip },
  async t => {
    const nodes = await nodesOf(t)
    const { leases, confirmation, change, reads } = nodes
    const listed = async () => (await reads.nodes()).map(({ id }) => id)
    await leases.register({ id: one, leaseMs: 2000 })
    const janitor = janitorOf(nodes, '2026-01-01')
    const { epoch } = await change()
    await confirmation.evict(epoch)
    await leases.register({ id: two, leaseMs: 2000 })
    // The janitor doesn't know when the node was evicted.
    await janitor.pass(50_000)
    await janitor.pass(3999)
    t.same(await listed(), [one, two])
    await janitor.pass(1)
    t.same(await listed(), [two])
    janitor.stop()
    t.ok(janitor.isStopped())
  }
)

test('old changes are removed if no node needs them', { skip }, async t => {
  const nodes = await nodesOf(t)
  const { url, change, reads } = nodes
  await execute(url, "update client_key_changes set at = '2026-01-01T00:00:00.000Z'")
  const first = await change()
  await execute(
    url,
    `insert into client_key_changes (epoch, key_id, at)
    select ${first.epoch} + n, 'k', case when n < 5 then '2026-01-01T00:00:00.000Z' else '2026-01-01T01:00:00.000Z' end
    from generate_series(1, 10010) as n`
  )
  const janitor = janitorOf(nodes, '2026-01-01T01:00:30.000Z')
  await janitor.pass(59_999)
  t.ok(await reads.hasChange(first))
  t.equal(janitor.others(), 0)
  await janitor.pass(1)
  const [left] = await execute(
    url,
    'select min(epoch)::int as oldest, count(*)::int as changes from client_key_changes'
  )
  t.same(left, { oldest: first.epoch + 5, changes: 10_006 }, 'all changes from the last hour are kept')
  t.equal(janitor.others(), 1)
  await janitor.pass(59_999)
  t.equal(janitor.others(), 1)
  janitor.stop()
})

test('a janitor runs again after a failure, but not if it was stopped during the run', { skip }, async t => {
  const nodes = await nodesOf(t)
  const { url } = nodes
  await execute(url, 'alter table nodes rename to away')
  const janitor = janitorOf(nodes, '2026-01-01')
  await janitor.pass(60_000)
  t.equal(janitor.others(), 0)
  await execute(url, 'alter table away rename to nodes')
  await janitor.pass(60_000)
  t.equal(janitor.others(), 1)
  janitor.stopWhileWorking(60_000)
  while (janitor.others() < 2) await pause(1)
  t.ok(janitor.isStopped())
})

const REMOVAL = 'remove expired nodes, changes and counters'

test('consecutive failed removals are reported once, and so is the recovery', { skip }, async t => {
  const nodes = await nodesOf(t)
  const { reports, background } = createReports()
  const janitor = janitorOf(nodes, '2026-01-01', background)
  await execute(nodes.url, 'alter table nodes rename to hidden')
  await janitor.pass(2000)
  await janitor.pass(2000)
  t.match(reports, [{ work: REMOVAL, error: { message: /"nodes" does not exist/ } }])
  await execute(nodes.url, 'alter table hidden rename to nodes')
  await janitor.pass(2000)
  t.match(reports.slice(1), [{ work: REMOVAL, error: null }])
  janitor.stop()
})

test('a removal that fails after the janitor was stopped is not reported', { skip }, async t => {
  const { db } = await nodesOf(t)
  const { reports, background } = createReports()
  let now = 0
  let begin = (): void => {}
  const failed = new Promise<void>(resolve => {
    const stop = startJanitor({
      db,
      leaseMs: 2000,
      evictions: createEvictions({ monotonic: () => now }),
      background,
      others: [
        async () => {
          stop()
          resolve()
          throw new Error('the pool is closed')
        }
      ],
      clock: { monotonic: () => now, wall: () => now },
      schedule: task => {
        begin = task
        return () => {}
      }
    })
  })
  now = 60_000
  begin()
  await failed
  await turn()
  t.same(reports, [])
})
