import { setImmediate as nextTurn } from 'node:timers/promises'
import { test } from 'tap'
import { createBarrier } from '../../../../domain/keys/freshness/barrier.ts'
import { at } from '../../../helper.ts'

test('all callers of a turn share one read, which comes after the last of them has called', async t => {
  const events: string[] = []
  const barrier = createBarrier(() => {
    events.push('read')
  })
  const call = async (name: string): Promise<void> => {
    events.push(`${name} calls`)
    await barrier()
    events.push(`${name} passes`)
  }
  await Promise.all([
    call('one'),
    call('two'),
    Promise.resolve().then(async () => {
      await call('three')
    })
  ])
  t.same(events, ['one calls', 'two calls', 'three calls', 'read', 'one passes', 'two passes', 'three passes'])
  await call('four')
  t.same(events.slice(7), ['four calls', 'read', 'four passes'], 'the next turn has a read of its own')
})

test('who calls while the read is made, or when it is over, waits for the next one', async t => {
  let reads = 0
  let late: Promise<void> | undefined
  const barrier = createBarrier(() => {
    reads++
    late ??= barrier()
  })
  await barrier()
  t.equal(reads, 1)
  await late
  t.equal(reads, 2)
})

test('a read that fails fails for every caller of its turn, and for nobody else', async t => {
  let failure: Error | null = new Error('the disk is gone')
  const barrier = createBarrier(() => {
    if (failure !== null) throw failure
  })
  const results = await Promise.allSettled([barrier(), barrier()])
  t.match(results, [
    { status: 'rejected', reason: { message: 'the disk is gone' } },
    { status: 'rejected', reason: { message: 'the disk is gone' } }
  ])
  failure = null
  await barrier()
})

test('callers who come alone, turn after turn, have each a read of their own, made after they have called', async t => {
  let reads = 0
  let failure: Error | null = null
  const barrier = createBarrier(() => {
    reads++
    if (failure !== null) throw failure
  })
  const readsAfter: number[] = []
  for (let calls = 1; calls <= 200; calls++) {
    await barrier()
    readsAfter.push(reads)
  }
  t.same(
    readsAfter,
    Array.from({ length: 200 }, (_, index) => index + 1)
  )
  failure = new Error('the disk is gone')
  const failures = new Set<unknown>()
  for (let calls = 1; calls <= 100; calls++) await barrier().catch((error: unknown) => failures.add(error))
  t.same([reads, failures.size, failures.has(failure)], [300, 1, true])
})

test('callers who come together after others who came alone share their reads again', async t => {
  let reads = 0
  const barrier = createBarrier(() => {
    reads++
  })
  for (let calls = 0; calls < 8; calls++) await barrier()
  reads = 0
  const called = Array.from({ length: 1000 }, () => {
    const before = reads
    return barrier().then(() => reads > before)
  })
  t.ok((await Promise.all(called)).every(Boolean), 'each read came after its call')
  t.equal(reads, 65, 'the first 64 read at once, and the others together')
})

/** A barrier whose reads end when the test ends them. */
const overNetwork = () => {
  const reads: { resolve: () => void; reject: (error: Error) => void }[] = []
  let underWay = 0
  let most = 0
  const barrier = createBarrier(async () => {
    await new Promise<void>((resolve, reject) => {
      most = Math.max(most, ++underWay)
      const end = (): void => {
        underWay--
      }
      reads.push({
        resolve: () => {
          end()
          resolve()
        },
        reject: error => {
          end()
          reject(error)
        }
      })
    })
  })
  return { barrier, reads, most: () => most }
}

test('a read may resolve later, and callers wait for one that began after their call', async t => {
  const { barrier, reads, most } = overNetwork()
  const passed: string[] = []
  const call = (name: string): Promise<void> =>
    barrier().then(() => {
      passed.push(name)
    })
  const first = [call('a'), call('b')]
  await nextTurn()
  t.equal(reads.length, 1, 'one read for the callers of a turn')
  const second = [call('c')]
  await nextTurn()
  second.push(call('d'))
  await nextTurn()
  t.equal(reads.length, 1, 'no other read begins while it is under way')
  at(reads).resolve()
  await Promise.all(first)
  await nextTurn()
  t.same([passed, reads.length], [['a', 'b'], 2], 'whoever called while it was under way waits for the next')
  at(reads, 1).resolve()
  await Promise.all(second)
  t.same([passed, most()], [['a', 'b', 'c', 'd'], 1])
})

test('a read that fails later fails its callers and no others', async t => {
  const { barrier, reads } = overNetwork()
  const failing = barrier()
  await nextTurn()
  const next = barrier()
  await nextTurn()
  at(reads).reject(new Error('the network is away'))
  await t.rejects(failing, { message: 'the network is away' })
  await nextTurn()
  at(reads, 1).resolve()
  await next
})

test('callers who come alone read at once, and never while another read is under way', async t => {
  const { barrier, reads, most } = overNetwork()
  for (let turn = 0; turn < 8; turn++) {
    const alone = barrier()
    await nextTurn()
    at(reads, turn).resolve()
    await alone
  }
  const alone = barrier()
  t.equal(reads.length, 9, 'it reads at once')
  const joining = barrier()
  await nextTurn()
  t.equal(reads.length, 9)
  at(reads, 8).resolve()
  await alone
  // Another lone caller, at the moment at which the waiting one would begin.
  const late = barrier()
  await nextTurn()
  for (let next = 9; next < reads.length || most() === 0; next++) {
    at(reads, next).resolve()
    await nextTurn()
  }
  await Promise.all([joining, late])
  t.equal(most(), 1)
})

test('a read may resolve in any way that a program knows', async t => {
  let reads = 0
  const results = [
    null,
    5,
    {
      then: (resolve: () => void) => {
        resolve()
      }
    }
  ]
  for (const result of results) {
    await createBarrier(() => {
      reads++
      return result as unknown as Promise<void>
    })()
  }
  t.equal(reads, results.length)
})
