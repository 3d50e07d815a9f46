import { test } from 'tap'
import { operator, world } from '../helper.ts'

test('a filter finds a few matching keys among many', async t => {
  const made = await world(t)
  const { clientKeys } = made.fastify
  for (let i = 0; i < 1100; i++) await clientKeys.issue({ name: `key ${i}` }, operator)
  t.same(
    (await clientKeys.list({ namePrefix: 'key 1099' }, { limit: 10 })).keys.map(({ name }) => name),
    ['key 1099']
  )
  const all = await made.call('GET', '/client_keys?limit=1000')
  t.equal(all.json.length, 1000)
  t.ok(all.headers['link'])
})
