import { randomUUID } from 'node:crypto'
import { setImmediate as turn } from 'node:timers/promises'
import { test } from 'tap'
import { scheduleTimer, systemClock } from '../../../../domain/keys/freshness/clock.ts'
import { createLease } from '../../../../domain/keys/freshness/lease.ts'
import { ALL_KEYS, MAX_ROWS } from '../../../../domain/keys/freshness/lease-store.ts'
import type { Change, NodeRecord, Position } from '../../../../domain/keys/freshness/lease-store.ts'
import { at } from '../../../helper.ts'
import { runSchedule } from './lease-model.ts'
import { createChangeMemory } from '../../../../domain/keys/freshness/membership.ts'

// LEASE_SCHEDULES and LEASE_SEED can be set to run more schedules, or different ones.
const SCHEDULES = Number(process.env['LEASE_SCHEDULES'] ?? 150)
const FIRST_SEED = Number(process.env['LEASE_SEED'] ?? 1)

test('no request that starts after an acknowledged revocation is accepted, regardless of node faults', async t => {
  const violations: string[] = []
  const total: Record<string, number> = {}
  for (let seed = FIRST_SEED; seed < FIRST_SEED + SCHEDULES; seed++) {
    const played = await runSchedule(seed)
    violations.push(...played.violations)
    for (const [what, count] of Object.entries(played.counts)) total[what] = (total[what] ?? 0) + count
  }
  t.same(violations.slice(0, 5), [])
  for (const [what, count] of Object.entries(total)) t.ok(count >= SCHEDULES / 10, `${what}: ${count}`)
})

/** Creates a store that returns the specified replies, and records its calls. */
const createStore = () => {
  const calls: string[] = []
  const changes: Change[] = [{ epoch: 1, nonce: 'a', keyId: '' }]
  const store = {
    calls,
    changes,
    commit: (keyId: string) => {
      changes.push({ epoch: changes.length + 1, nonce: 'a', keyId })
    },
    renew: async (node: string, head: Position): Promise<readonly Change[]> => {
      calls.push(`renew ${node} ${head.epoch}`)
      return changes.filter(({ epoch }) => epoch >= head.epoch).slice(0, MAX_ROWS)
    },
    register: async ({ id, leaseMs }: NodeRecord): Promise<Position> => {
      calls.push(`register ${id} ${leaseMs}`)
      return at(changes.slice(-1))
    },
    acknowledge: async (node: string, epoch: number) => {
      calls.push(`acknowledge ${node} ${epoch}`)
    },
    deregister: async (node: string) => {
      calls.push(`deregister ${node}`)
    },
    take: () => calls.splice(0)
  }
  return store
}

/** Creates a lease with a clock that the test controls, and records the lease's timers. */
const createWorld = (leaseMs = 2000, maxWaitMs?: number) => {
  const store = createStore()
  const time = { monotonic: 0, wall: 1e12 }
  const timers: { task: () => void; ms: number }[] = []
  let ids = 0
  const lease = createLease({
    clock: { monotonic: () => time.monotonic, wall: () => time.wall },
    schedule: (task, ms) => {
      const timer = { task, ms }
      timers.push(timer)
      return () => {
        const place = timers.indexOf(timer)
        if (place >= 0) timers.splice(place, 1)
      }
    },
    store,
    leaseMs,
    maxWaitMs,
    newId: () => `n${++ids}`
  })
  return { store, time, timers, lease }
}

test('a node registers, gets a lease, and sends no queries until the lease expires', async t => {
  const { store, time, timers, lease } = createWorld()
  t.same([lease.mark(), lease.head(), lease.remaining()], [null, 0, 0])
  lease.notify()
  await turn()
  t.same(store.take(), [], 'a notification before the registration is ignored')
  await Promise.all([lease.barrier(), lease.barrier()])
  t.same(store.take(), ['register n1 2000', 'renew n1 1'], 'both barriers share the registration')
  t.same([lease.head(), lease.remaining()], [1, 2000])
  t.equal(lease.barrier(), lease.barrier(), 'all barriers during a lease share a resolved promise')
  t.match(timers, [{ ms: 500 }])
  for (const clock of ['monotonic', 'wall'] as const) {
    time[clock] += 2000
    t.equal(lease.remaining(), 0)
    await lease.barrier()
    t.same(store.take(), ['renew n1 1'], `the lease has ended by the ${clock} clock`)
  }
  t.equal(timers.length, 1, 'each renewal reschedules the next one')
})

test('changes are received for each key and acknowledged, and failed acknowledgements are sent again', async t => {
  const { store, timers, lease } = createWorld()
  await lease.barrier()
  const mark = Number(lease.mark())
  store.commit('k')
  const { acknowledge } = store
  store.acknowledge = async () => {
    throw new Error('lost')
  }
  lease.notify()
  await turn()
  t.same([lease.isFresh(mark, 'k'), lease.isFresh(mark, 'other'), lease.head()], [false, true, 2])
  t.ok(lease.isFresh(Number(lease.mark()), 'k'), 'a new lookup is fresh')
  store.acknowledge = acknowledge
  store.take()
  at(timers).task()
  await turn()
  t.same(store.take(), ['renew n1 2', 'acknowledge n1 2'])
  at(timers).task()
  await turn()
  t.same(store.take(), ['renew n1 2'], 'a successful acknowledgement is not repeated')
})

test('a node that is rejected or may have missed changes clears its cache and registers again', async t => {
  const causes: [string, (store: ReturnType<typeof createStore>) => void][] = [
    ['evicted or removed', store => (store.renew = once(store.renew, async () => []))],
    ['another history', store => store.changes.splice(0, 1, { epoch: 1, nonce: 'b', keyId: '' })],
    ['an earlier history', store => store.changes.splice(0, 1, { epoch: 0, nonce: 'a', keyId: '' })],
    [
      'too many changes',
      store => {
        for (let i = 1; i < MAX_ROWS; i++) store.commit(`k${i}`)
      }
    ]
  ]
  for (const [cause, make] of causes) {
    const { store, lease } = createWorld()
    await lease.barrier()
    const mark = Number(lease.mark())
    store.take()
    make(store)
    store.deregister = async () => {
      throw new Error('lost')
    }
    lease.notify()
    await turn()
    const head = at(store.changes.slice(-1)).epoch
    t.same(store.take().slice(-2), ['register n2 2000', `renew n2 ${head}`], cause)
    t.same([lease.isFresh(mark, 'k'), lease.head(), lease.remaining()], [false, head, 2000])
  }
})

const once = <A extends unknown[], R>(usual: (...args: A) => R, first: (...args: A) => R): ((...args: A) => R) => {
  let isFirst = true
  return (...args) => {
    const chosen = isFirst ? first : usual
    isFirst = false
    return chosen(...args)
  }
}

test('without a lease, barriers fail, nothing is cached, and the renewal is retried soon', async t => {
  const { store, timers, lease } = createWorld()
  const { renew } = store
  store.renew = async () => []
  await t.rejects(lease.barrier(), { code: 'LEASE_LOST', cause: { message: /rejected the node/ } })
  t.equal(lease.mark(), null)
  t.match(timers, [{ ms: 100 }])
  store.renew = async () => {
    throw new Error('the database is unreachable')
  }
  at(timers).task()
  await turn()
  await t.rejects(lease.barrier(), { code: 'LEASE_LOST', cause: { message: 'the database is unreachable' } })
  store.renew = renew
  at(timers).task()
  await turn()
  t.equal(lease.remaining(), 2000)
})

test('a barrier waits for a slow renewal until its timeout, and the renewal continues', async t => {
  const { store, timers, lease } = createWorld(2000, 900)
  const { renew } = store
  let reply = (): void => {}
  store.renew = async (...calls) => {
    await new Promise<void>(resolve => {
      reply = resolve
    })
    return await renew(...calls)
  }
  const refused = t.rejects(lease.barrier(), { code: 'LEASE_LOST', cause: { message: /did not reply in time/ } })
  await turn()
  t.match(timers, [{ ms: 900 }])
  at(timers).task()
  await refused
  reply()
  await turn()
  t.equal(lease.remaining(), 2000)
  await lease.barrier()
})

test('a failed renewal does not shorten the current lease', async t => {
  const { store, time, lease } = createWorld()
  await lease.barrier()
  time.monotonic += 500
  store.renew = async () => {
    throw new Error('lost')
  }
  lease.notify()
  await turn()
  t.equal(lease.remaining(), 1500)
  await lease.barrier()
})

test('with a lease of 0, each barrier waits for a read that starts after it, and waiting barriers share a read', async t => {
  const { store, timers, lease } = createWorld(0)
  await lease.barrier()
  store.take()
  const { renew } = store
  const replies: (() => void)[] = []
  store.renew = async (node, head) => {
    const rows = await renew(node, head)
    await new Promise<void>(resolve => replies.push(resolve))
    return rows
  }
  const passed: number[] = []
  const wait = (name: number): void => {
    void lease.barrier().then(() => passed.push(name))
  }
  wait(1)
  await turn()
  wait(2)
  wait(3)
  await turn()
  t.equal(store.take().length, 1, 'only one read is pending at a time')
  const [replyToFirst, replyToSecond] = [
    () => {
      at(replies)()
    },
    () => {
      at(replies, 1)()
    }
  ]
  replyToFirst()
  await turn()
  t.same(passed, [1])
  t.equal(store.take().length, 1)
  replyToSecond()
  await turn()
  t.same(passed, [1, 2, 3])
  t.same([timers.length, lease.remaining()], [0, 0])
})

test('a closed lease deregisters the node, has no timers, and rejects barriers', async t => {
  const { store, timers, lease } = createWorld()
  await lease.barrier()
  lease.notify()
  await lease.close()
  t.same(store.take().slice(-1), ['deregister n1'])
  t.same([timers.length, lease.remaining(), lease.mark()], [0, 0, null])
  await t.rejects(lease.barrier(), { code: 'LEASE_LOST' })
  await lease.close()
  t.same(store.take(), [])
})

test('a lease with the system clocks does not keep the process running', async t => {
  const store = createStore()
  const lease = createLease({ clock: systemClock, store, leaseMs: 60_000, newId: randomUUID })
  await lease.barrier()
  t.ok(lease.remaining() > 0)
  await lease.close()

  // The timers that scheduleTimer creates don't keep the process alive, but this one does.
  const alive = setInterval(() => {}, 1000)
  let ran = 0
  await new Promise<void>(resolve => {
    scheduleTimer(() => ran++, 1)()
    scheduleTimer(resolve, 2)
  })
  clearInterval(alive)
  t.equal(ran, 0, 'a cancelled timer does not run')
})

test('the memory for changes is limited, so after more than ten thousand keys, all lookups are stale', t => {
  const memory = createChangeMemory()
  const mark = memory.mark()
  for (let i = 0; i < 10_000; i++) memory.record(`k${i}`)
  t.ok(memory.isFresh(mark, 'other'))
  memory.record('k')
  t.same([memory.isFresh(mark, 'other'), memory.isFresh(mark, 'k')], [false, false])
  t.ok(memory.isFresh(memory.mark(), 'k'))
  t.end()
})

test('a change to all keys invalidates every earlier lookup', t => {
  const memory = createChangeMemory()
  const mark = memory.mark()
  memory.record(ALL_KEYS)
  t.notOk(memory.isFresh(mark, 'k'))
  t.ok(memory.isFresh(memory.mark(), 'k'))
  t.end()
})
