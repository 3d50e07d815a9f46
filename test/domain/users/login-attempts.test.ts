import { test } from 'tap'
import { createMemoryCounters } from '../../../domain/counters.ts'
import type { Counters } from '../../../domain/counters.ts'
import { createLoginAttemptLimit } from '../../../domain/users/login-attempts.ts'

test('each window allows a limited number of attempts, and starts with the first of them', async t => {
  let now = 0
  const counters = createMemoryCounters({ maxKeys: 10, now: () => now })
  const limit = createLoginAttemptLimit('user', { max: 2, seconds: 600 }, counters)
  const at = async (seconds: number, key = 'ada'): Promise<number | null> => {
    now = seconds * 1000
    return await limit(key)
  }
  t.same([await at(0), await at(1), await at(1), await at(599.5)], [null, null, 599, 1])
  t.equal(await at(599.5, 'ben'), null, 'each key has its own window')
  t.same([await at(600), await at(601), await at(601)], [null, null, 599])
})

test('the counter of attempts has a name and a digest as its key', async t => {
  const keys: string[] = []
  const counters: Counters = {
    hit: async key => {
      keys.push(key)
      return { hits: 9, ttlMs: -3 }
    }
  }
  const limit = createLoginAttemptLimit('pair', { max: 2, seconds: 600 }, counters)
  t.equal(await limit('10.0.0.1 ada@example.com'), 1, 'a window that has just ended is reported as ending in a second')
  t.match(keys, [/^sign_in:pair:[\w-]{43}$/])
})
