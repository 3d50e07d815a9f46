import { test } from 'tap'
import { lazily } from '../../domain/lazy.ts'

test('a module is loaded only once, but is loaded again after a failure', async t => {
  let loads = 0
  const load = lazily(async () => {
    if (++loads === 1) throw new Error('not there yet')
    return loads
  })
  await t.rejects(Promise.all([load(), load()]), { message: 'not there yet' })
  t.equal(loads, 1)
  t.same(await Promise.all([load(), load()]), [2, 2])
  t.equal(await load(), 2)
})
