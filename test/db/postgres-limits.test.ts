import { setTimeout as pause } from 'node:timers/promises'
import { test } from 'tap'
import { createPostgresCounters } from '../../db/postgres/limits.ts'
import { emptyPostgres, execute } from '../postgres.ts'
import { counterNode } from './counter-node.ts'

const numbersTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1)

test("a window starts with a key's first hit, and the first hit after it ends starts the next window", async t => {
  const url = await emptyPostgres()
  if (url === null) return
  const [one, other] = [counterNode(t, url), counterNode(t, url)]
  t.equal((await one.hit('a', 3600)).hits, 1)
  const second = await other.hit('a', 3600)
  t.equal(second.hits, 2, 'the nodes share the counter')
  t.ok(second.ttlMs > 0 && second.ttlMs < 3_600_000, 'the window continues')
  t.equal((await other.hit('b', 3600)).hits, 1, 'each key has its own window')

  let last = 0
  for (let now = await one.hit('c', 1); now.hits > last; now = await one.hit('c', 1)) {
    t.ok(now.ttlMs > 0 && now.ttlMs <= 1000)
    last = now.hits
  }
  t.equal((await other.hit('c', 3600)).hits, 2, 'a limit with a different window length keeps the start of the window')
})

test('a window that is shortened to less than its current age ends immediately', async t => {
  const url = await emptyPostgres()
  if (url === null) return
  const { hit } = counterNode(t, url)
  await execute(
    url,
    "insert into rate_counters values ('a', 7, now() - interval '60 seconds', now() + interval '60 seconds')"
  )
  t.equal((await hit('a', 120)).hits, 8)
  const next = await hit('a', 30)
  t.equal(next.hits, 1)
  t.ok(next.ttlMs > 0 && next.ttlMs <= 30_000)
})

test('concurrent hits are counted in one statement, and get different numbers', async t => {
  const url = await emptyPostgres()
  if (url === null) return
  const { pool } = counterNode(t, url)
  let statements = 0
  const { hit } = createPostgresCounters(async (text, values) => {
    statements++
    return await pool.query(text, values)
  })
  const counts = await Promise.all(numbersTo(64).map(async () => await hit('a', 3600)))
  t.same(
    counts.map(({ hits }) => hits),
    numbersTo(64)
  )
  t.equal(statements, 1)
  t.equal((await hit('a', 3600)).hits, 65)
})

test('a failed statement rejects all hits that it counts, but no later ones', async t => {
  const url = await emptyPostgres()
  if (url === null) return
  const { pool } = counterNode(t, url)
  let isDown = true
  const { hit } = createPostgresCounters(async (text, values) => {
    if (isDown) throw new Error('the database is unreachable')
    return await pool.query(text, values)
  })
  const failed = await Promise.allSettled([hit('a', 3600), hit('a', 3600)])
  t.same(
    failed.map(({ status }) => status),
    ['rejected', 'rejected']
  )
  isDown = false
  t.equal((await hit('a', 3600)).hits, 1)
})

const EXPIRED =
  "insert into rate_counters select 'old ' || n, 1, now() - interval '2 minutes', now() - interval '1 minute' " +
  'from generate_series(1, 1500) as n'

const KEYS = "select count(*)::int as keys from rate_counters where key like 'old %'"

test('expired windows are removed a thousand at a time, and current ones are kept', async t => {
  const url = await emptyPostgres()
  if (url === null) return
  const { hit, removeExpired } = counterNode(t, url)
  await hit('a', 3600)
  await execute(url, EXPIRED)
  t.same([await removeExpired(), await removeExpired(), await removeExpired()], [1000, 500, 0])
  t.equal((await hit('a', 3600)).hits, 2)
})

test('some hits also remove expired windows, and if that fails, later hits remove them', async t => {
  const url = await emptyPostgres()
  if (url === null) return
  const { pool } = counterNode(t, url)
  await execute(url, EXPIRED)
  let removals = 0
  const { hit } = createPostgresCounters(async (text, values) => {
    if (/^\s*delete/.test(text) && ++removals === 1) throw new Error('the database is unreachable')
    return await pool.query(text, values)
  })
  for (let statements = 1; statements <= 1000; statements++) await hit('a', 3600)
  while (((await execute(url, KEYS)) as [{ keys: number }])[0].keys !== 500) await pause(10)
  t.equal(removals, 2)
})

test('four nodes with 64 concurrent hits each count every hit once', async t => {
  const url = await emptyPostgres()
  if (url === null) return
  const nodes = numbersTo(4).map(() => counterNode(t, url))
  const counts = await Promise.all(
    nodes.flatMap(({ hit }) =>
      numbersTo(64).map(async () => {
        const seen: number[] = []
        for (let round = 0; round < 10; round++) seen.push((await hit('a', 3600)).hits)
        return seen
      })
    )
  )
  t.same(
    counts.flat().sort((a, b) => a - b),
    numbersTo(4 * 64 * 10)
  )
})
