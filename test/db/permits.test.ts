import { test } from 'tap'
import { createPermits, createSubjectPermits } from '../../db/permits.ts'

/** Creates a task that runs until `end` is called. */
const createWork = () => {
  let end = (): void => {}
  const ended = new Promise<void>(resolve => {
    end = resolve
  })
  return {
    run: async (): Promise<void> => {
      await ended
    },
    end: () => {
      end()
    }
  }
}

test('only the permitted number of tasks run at a time, and the others run later, in order', async t => {
  const enter = createPermits(2, 60_000)
  const works = [1, 2, 3, 4].map(createWork)
  const begun: number[] = []
  const all = works.map(async ({ run }, index) => {
    await enter(async () => {
      begun.push(index)
      await run()
    })
  })
  t.same(begun, [0, 1])
  works[1]?.end()
  await all[1]
  await new Promise(setImmediate)
  t.same(begun, [0, 1, 2])
  for (const { end } of works) end()
  await Promise.all(all)
  t.same(begun, [0, 1, 2, 3])
})

test('a failed task releases its permit, and a task that waits too long is not run', async t => {
  const enter = createPermits(1, 1)
  await t.rejects(
    enter(async () => {
      throw new Error('the work failed')
    }),
    { message: 'the work failed' }
  )
  const { run, end } = createWork()
  const running = enter(run)
  await t.rejects(
    enter(async () => {
      t.fail('it was run')
    }),
    { code: 'SERVICE_UNAVAILABLE', cause: { message: /other changes to keys are in progress/ } }
  )
  end()
  await running
  t.equal(await enter(async () => 'its turn'), 'its turn')
})

test('tasks with the same subject run one after another, and all others run in parallel', async t => {
  const enter = createSubjectPermits(60_000)
  const [first, second] = [createWork(), createWork()]
  const begun: string[] = []
  const run = async (name: string, subject: string | undefined, work: () => Promise<void>): Promise<void> => {
    await enter(subject, async () => {
      begun.push(name)
      await work()
    })
  }
  const all = [run('a', 'x', first.run), run('b', 'x', second.run)]
  await run('c', 'y', async () => {})
  await run('d', undefined, async () => {})
  t.same(begun, ['a', 'c', 'd'])
  first.end()
  await all[0]
  second.end()
  await all[1]
  t.same(begun, ['a', 'c', 'd', 'b'])
})
