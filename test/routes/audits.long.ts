import { test } from 'tap'
import { operator, world } from '../helper.ts'

test('a few matching entries are found among many, and a long audit trail can be verified', async t => {
  const made = await world(t)
  const { audits, apps } = made.fastify
  const context = { ...operator, actor: { kind: 'cli', id: '7', name: 'tester' } } as const
  for (let i = 0; i < 1050; i++) {
    await apps[i % 2 === 0 ? 'addTag' : 'removeTag']('ba6811fb3e073d', { context: 'a', name: 'b' }, context)
  }
  t.same(
    (await audits.page({ action: 'sample.load' }, { limit: 10 })).audits.map(({ sequence }) => sequence),
    [1]
  )
  t.same(await audits.page({ actorKind: 'nobody' }, { limit: 10 }), { audits: [], more: false })
  t.match(await audits.page({ actorId: '7' }, { limit: 1000 }), { more: true, audits: { length: 1000 } })
  t.match(await audits.verify(), { whole: true, head: { sequence: 1051 } })
})
