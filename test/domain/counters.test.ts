import { test } from 'tap'
import { createMemoryCounters } from '../../domain/counters.ts'
import { at } from '../helper.ts'

test('a window has the requested length, measured with a monotonic clock', async t => {
  let now = 5000
  const { hit } = createMemoryCounters({ maxKeys: 10, now: () => now })
  t.same(await hit('a', 60), { hits: 1, ttlMs: 60_000 })
  now += 59_999
  t.same(await hit('a', 60), { hits: 2, ttlMs: 1 })
  t.same(await hit('b', 60), { hits: 1, ttlMs: 60_000 })
  now += 1
  t.same(await hit('a', 60), { hits: 1, ttlMs: 60_000 })
  now += 30_000
  t.same(
    await hit('a', 90),
    { hits: 2, ttlMs: 60_000 },
    'a limit with a different window length keeps the start of the window'
  )
})

test('windows do not depend on the time of day', async t => {
  const { hit } = createMemoryCounters({ maxKeys: 10 })
  t.equal((await hit('a', 60)).hits, 1)
  for (const step of [-3_600_000, 3_600_000]) {
    const now = Date.now() + step
    const clock = t.intercept(Date, 'now', { value: () => now })
    t.match(await hit('a', 60), { ttlMs: Number })
    clock.restore()
  }
  t.equal((await hit('a', 60)).hits, 4)
})

test('adding many keys removes only the least recently hit ones', async t => {
  const { hit } = createMemoryCounters({ maxKeys: 3 })
  const hits = async (key: string): Promise<number> => (await hit(key, 600)).hits
  for (const key of ['a', 'b', 'c']) await hits(key)
  t.equal(await hits('a'), 2, 'a is now the most recently hit key')
  t.equal(await hits('d'), 1, 'd replaces b')
  t.same([await hits('c'), await hits('a'), await hits('d')], [2, 3, 2])
  t.equal(await hits('b'), 1, 'b replaces c')
  const flood = Array.from({ length: 1000 }, (_, index) => `x${index}`)
  for (const key of flood) await hits(key)
  t.same([await hits(at(flood, 999)), await hits(at(flood, 998)), await hits(at(flood, 997))], [2, 2, 2])
  t.equal(await hits(at(flood, 996)), 1)
})
