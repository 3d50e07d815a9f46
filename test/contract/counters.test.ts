import { setTimeout as pause } from 'node:timers/promises'
import { test } from 'tap'
import type { Test } from 'tap'
import { connectRedis } from '../../db/redis/connect.ts'
import type { LossReason } from '../../db/redis/connect.ts'
import { createMemoryCounters } from '../../domain/counters.ts'
import type { Count, Counters } from '../../domain/counters.ts'
import { counterNode } from '../db/counter-node.ts'
import { emptyPostgres, execute } from '../postgres.ts'
import { redisUrl, withRedis } from '../redis.ts'

/** A store of counters that several nodes share. */
interface Store {
  readonly nodes: readonly Counters[]
  /** Sets the store's clock back by an hour during a window, or null if that's impossible. */
  readonly setBack: ((key: string, windowSeconds: number) => Promise<void>) | null
}

const redisNode = async (t: Test, url: string): Promise<Counters> => {
  const hooks = {
    onLost: ({ reason }: LossReason) => {
      t.fail(reason)
    },
    onBack: () => {}
  }
  // A long timeout, because the test compares counts, and the machine may be busy.
  const { counters, close } = await connectRedis(url, hooks, { commandTimeout: 60_000 })
  t.teardown(close)
  return counters
}

const stores: Readonly<Record<string, (t: Test) => Promise<Store | null>>> = {
  memory: async () => ({ nodes: [createMemoryCounters({ maxKeys: 100 })], setBack: null }),

  PostgreSQL: async t => {
    const url = await emptyPostgres()
    if (url === null) return null
    return {
      nodes: [counterNode(t, url), counterNode(t, url)],
      setBack: async key => {
        const hour = "interval '1 hour'"
        const later = `started_at = started_at + ${hour}, expires_at = expires_at + ${hour}`
        await execute(url, `update rate_counters set ${later} where key = '${key}'`)
      }
    }
  },

  Redis: async t => {
    const url = await redisUrl(t)
    if (url === null) return null
    const prefix = new URL(url).searchParams.get('keyPrefix') ?? ''
    return {
      nodes: [await redisNode(t, url), await redisNode(t, url)],
      setBack: async (key, windowSeconds) => {
        await withRedis(url.replace(/\?.*/, ''), async redis => {
          const start = Number(await redis.hget(`${prefix}trivial:${key}`, 'start'))
          await redis.hset(`${prefix}trivial:${key}`, 'start', start + 3_600_000)
          await redis.expire(`${prefix}trivial:${key}`, windowSeconds + 3600)
        })
      }
    }
  }
}

const numbersTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1)

const hitsOf = (counts: readonly Count[]): number[] => counts.map(({ hits }) => hits)

/** Counts `size` concurrent hits, distributed evenly over all nodes. */
const burst = async (nodes: readonly Counters[], key: string, size: number, seconds: number): Promise<Count[]> =>
  await Promise.all(
    numbersTo(size).map(async number => await (nodes[number % nodes.length] as Counters).hit(key, seconds))
  )

for (const [name, open] of Object.entries(stores)) {
  test(`${name}: concurrent hits get different numbers`, async t => {
    const store = await open(t)
    if (store === null) return
    const counts = await burst(store.nodes, 'a', 200, 3600)
    t.same(
      hitsOf(counts).sort((one, other) => one - other),
      numbersTo(200)
    )
    t.ok(counts.every(({ ttlMs }) => ttlMs > 3_500_000 && ttlMs <= 3_600_000))
    t.same(hitsOf(await burst(store.nodes, 'b', 1, 3600)), [1], 'each key is counted separately')
  })

  test(`${name}: if a window ends during a burst, the next window starts at 1`, async t => {
    const store = await open(t)
    if (store === null) return
    // A window lasts one second. Bursts are repeated until the third window has started.
    const counts: Count[] = []
    const windows = (): number => hitsOf(counts).filter(hits => hits === 1).length
    while (windows() < 3) {
      counts.push(...(await burst(store.nodes, 'a', 20, 1)))
      await pause(10)
    }
    const allowed = hitsOf(counts).filter(hits => hits <= 5)
    for (const hits of numbersTo(5)) {
      t.equal(allowed.filter(each => each === hits).length, windows(), `${hits} was counted once in each window`)
    }
    t.ok(counts.every(({ ttlMs }) => ttlMs > -1000 && ttlMs <= 1000))
  })

  test(`${name}: setting the clock back does not extend a window`, async t => {
    const store = await open(t)
    if (store === null || store.setBack === null) return
    const [one, other] = store.nodes as [Counters, Counters]
    t.same(hitsOf([await one.hit('a', 60), await other.hit('a', 60)]), [1, 2])
    await store.setBack('a', 60)
    const next = await one.hit('a', 60)
    t.equal(next.hits, 1)
    t.ok(next.ttlMs > 0 && next.ttlMs <= 60_000)
    t.equal((await other.hit('a', 60)).hits, 2)
  })

  test(`${name}: a window whose length changes keeps its start and its hit count`, async t => {
    const store = await open(t)
    if (store === null) return
    const [one] = store.nodes as [Counters]
    const other = store.nodes[1] ?? one
    const hits: number[] = []
    for (const [counters, seconds] of [
      [one, 60],
      [other, 59],
      [one, 30],
      [other, 3600],
      [one, 20]
    ] as const) {
      const count = await counters.hit('a', seconds)
      hits.push(count.hits)
      t.ok(count.ttlMs > 0 && count.ttlMs <= seconds * 1000)
    }
    t.same(hits, [1, 2, 3, 4, 5])
  })
}
