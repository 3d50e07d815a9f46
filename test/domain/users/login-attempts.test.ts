import { test } from 'tap'
import { createLoginAttemptLimit } from '../../../domain/users/login-attempts.ts'

test('a number of attempts is allowed in a time that begins with the first, and then again', async t => {
  const limit = createLoginAttemptLimit({ max: 2, seconds: 600, maxKeys: 10 })
  const begin = Date.now()
  const at = async (seconds: number, key = 'ada'): Promise<number | null> => {
    const clock = t.intercept(Date, 'now', { value: () => begin + seconds * 1000 })
    const outcome = await limit(key)
    clock.restore()
    return outcome
  }
  t.same([await at(0), await at(1), await at(1), await at(599.5)], [null, null, 599, 1])
  t.equal(await at(599, 'ben'), null, 'each key has its own')
  t.same([await at(600), await at(601), await at(601)], [null, null, 599])
})

test('a flood of keys makes the oldest forgotten, and no others', async t => {
  const limit = createLoginAttemptLimit({ max: 1, seconds: 600, maxKeys: 3 })
  for (const key of ['a', 'b', 'c']) await limit(key)
  const isLimited = async (key: string): Promise<boolean> => (await limit(key)) !== null
  t.ok(await isLimited('a'), 'which makes it the newest')
  t.notOk(await isLimited('d'), 'for which b is forgotten')
  t.same([await isLimited('c'), await isLimited('a'), await isLimited('d')], [true, true, true])
  t.notOk(await isLimited('b'), 'for which c is forgotten')
  t.notOk(await isLimited('c'), 'for which a is')
  t.same([await isLimited('d'), await isLimited('b'), await isLimited('c')], [true, true, true])
  for (let i = 0; i < 1000; i++) await limit(`x${i}`)
  t.same([await isLimited('x999'), await isLimited('x998'), await isLimited('x997')], [true, true, true])
  t.notOk(await isLimited('x996'))
})

test('what is counted keeps no process alive', async t => {
  const timers = (): number => process.getActiveResourcesInfo().filter(kind => kind === 'Timeout').length
  const before = timers()
  const limit = createLoginAttemptLimit({ max: 1, seconds: 600, maxKeys: 1000 })
  for (let i = 0; i < 100; i++) await limit(`x${i}`)
  t.ok(timers() <= before)
})
