import { test } from 'tap'
import { createMemoryCounters } from '../../domain/counters.ts'
import { at } from '../helper.ts'

test('a window lasts as long as it was asked for, by a clock that nobody sets', async t => {
  let now = 5000
  const { hit } = createMemoryCounters({ maxKeys: 10, now: () => now })
  t.same(await hit('a', 60), { hits: 1, ttlMs: 60_000 })
  now += 59_999
  t.same(await hit('a', 60), { hits: 2, ttlMs: 1 })
  t.same(await hit('b', 60), { hits: 1, ttlMs: 60_000 })
  now += 1
  t.same(await hit('a', 60), { hits: 1, ttlMs: 60_000 })
  now += 30_000
  t.same(await hit('a', 90), { hits: 2, ttlMs: 60_000 }, 'a limit whose window is changed keeps the beginning')
})

test('the time of the day does not matter', async t => {
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

test('a flood of keys removes the key that was hit the longest time ago, and no others', async t => {
  const { hit } = createMemoryCounters({ maxKeys: 3 })
  const hits = async (key: string): Promise<number> => (await hit(key, 600)).hits
  for (const key of ['a', 'b', 'c']) await hits(key)
  t.equal(await hits('a'), 2, 'which makes it the newest')
  t.equal(await hits('d'), 1, 'for which b is removed')
  t.same([await hits('c'), await hits('a'), await hits('d')], [2, 3, 2])
  t.equal(await hits('b'), 1, 'for which c is removed')
  const flood = Array.from({ length: 1000 }, (_, index) => `x${index}`)
  for (const key of flood) await hits(key)
  t.same([await hits(at(flood, 999)), await hits(at(flood, 998)), await hits(at(flood, 997))], [2, 2, 2])
  t.equal(await hits(at(flood, 996)), 1)
})
