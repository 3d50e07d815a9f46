import { setImmediate as nextTurn } from 'node:timers/promises'
import { test } from 'tap'
import { createBarrier } from '../../../../domain/keys/freshness/barrier.ts'
import { at } from '../../../helper.ts'

test('all calls in one turn share one read, which starts after the last of them', async t => {
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
  t.same(events.slice(7), ['four calls', 'read', 'four passes'], 'the next turn has a separate read')
})

test('a call during or after the read waits for the next read', async t => {
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

test('a failed read rejects all calls of its turn, and no others', async t => {
  let failure: Error | null = new Error('the disk failed')
  const barrier = createBarrier(() => {
    if (failure !== null) throw failure
  })
  const results = await Promise.allSettled([barrier(), barrier()])
  t.match(results, [
    { status: 'rejected', reason: { message: 'the disk failed' } },
    { status: 'rejected', reason: { message: 'the disk failed' } }
  ])
  failure = null
  await barrier()
})

test('single calls in consecutive turns each have a separate read, which starts after the call', async t => {
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
  failure = new Error('the disk failed')
  const failures = new Set<unknown>()
  for (let calls = 1; calls <= 100; calls++) await barrier().catch((error: unknown) => failures.add(error))
  t.same([reads, failures.size, failures.has(failure)], [300, 1, true])
})

test('simultaneous calls that follow single calls share reads again', async t => {
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
  t.ok((await Promise.all(called)).every(Boolean), 'each read started after its call')
  t.equal(reads, 65, 'the first 64 calls read immediately, and the others share a read')
})

/** Creates a barrier whose reads stay pending until the test settles them. */
const asyncBarrier = () => {
  const reads: { resolve: () => void; reject: (error: Error) => void }[] = []
  let pending = 0
  let most = 0
  const barrier = createBarrier(async () => {
    await new Promise<void>((resolve, reject) => {
      most = Math.max(most, ++pending)
      const end = (): void => {
        pending--
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

test('with asynchronous reads, each call waits for a read that starts after it', async t => {
  const { barrier, reads, most } = asyncBarrier()
  const passed: string[] = []
  const call = (name: string): Promise<void> =>
    barrier().then(() => {
      passed.push(name)
    })
  const first = [call('a'), call('b')]
  await nextTurn()
  t.equal(reads.length, 1, 'the calls of a turn share one read')
  const second = [call('c')]
  await nextTurn()
  second.push(call('d'))
  await nextTurn()
  t.equal(reads.length, 1, 'no other read starts while one is pending')
  at(reads).resolve()
  await Promise.all(first)
  await nextTurn()
  t.same([passed, reads.length], [['a', 'b'], 2], 'calls during a pending read wait for the next one')
  at(reads, 1).resolve()
  await Promise.all(second)
  t.same([passed, most()], [['a', 'b', 'c', 'd'], 1])
})

test('an asynchronous read that fails rejects its calls, and no others', async t => {
  const { barrier, reads } = asyncBarrier()
  const failing = barrier()
  await nextTurn()
  const next = barrier()
  await nextTurn()
  at(reads).reject(new Error('the network failed'))
  await t.rejects(failing, { message: 'the network failed' })
  await nextTurn()
  at(reads, 1).resolve()
  await next
})

test('single calls read immediately, unless another read is pending', async t => {
  const { barrier, reads, most } = asyncBarrier()
  for (let turn = 0; turn < 8; turn++) {
    const alone = barrier()
    await nextTurn()
    at(reads, turn).resolve()
    await alone
  }
  const alone = barrier()
  t.equal(reads.length, 9, 'the call reads immediately')
  const joining = barrier()
  await nextTurn()
  t.equal(reads.length, 9)
  at(reads, 8).resolve()
  await alone
  // Another single call, at the moment when the pending read would start.
  const late = barrier()
  await nextTurn()
  for (let next = 9; next < reads.length || most() === 0; next++) {
    at(reads, next).resolve()
    await nextTurn()
  }
  await Promise.all([joining, late])
  t.equal(most(), 1)
})

test('a read may return a value, a promise or another thenable', async t => {
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
