import { test } from 'tap'
import { createUsageRecorder } from '../../../../domain/keys/usage/recorder.ts'
import type { TokenUse } from '../../../../domain/keys/usage/recorder.ts'
import { at, knownToken } from '../../../helper.ts'

/** Creates a usage store that can be made to fail. */
const createStore = () => {
  const written: [day: string, uses: readonly TokenUse[]][] = []
  const reports: unknown[] = []
  let isBroken = false
  let attempts = 0
  const evidence = createUsageRecorder({
    write: async (day, uses) => {
      attempts++
      if (isBroken) throw new Error('full')
      written.push([day, uses])
    },
    onFailure: (error, work) => {
      reports.push([error, work])
    },
    onRecovery: work => {
      reports.push(work)
    }
  })
  return {
    written,
    reports,
    attempts: () => attempts,
    evidence,
    fail: (fails: boolean) => {
      isBroken = fails
    }
  }
}

test('usage that could not be stored is kept, added to later usage, and stored only once', async t => {
  const { evidence, written, attempts, reports, fail } = createStore()
  const token = knownToken()
  const other = knownToken({ id: 'other' }, { ref: 'other' })
  fail(true)
  evidence.used(token, ['apps:read'], '10.0.0.1', 'one')
  evidence.refused(other, 'key_revoked')
  await evidence.flush()
  evidence.used(token, ['apps:read'], '10.0.0.2', 'two')
  evidence.used(token, ['apps:write'], '10.0.0.1', 'three')
  evidence.refused(token, 'rate_limited')
  await evidence.flush()
  evidence.refused(token, 'rate_limited')
  await evidence.flush()
  // The key was used before, and has only been refused since then.
  t.equal(attempts(), 3)
  t.match(reports, [[{ message: 'full' }, 'store client key usage']], 'consecutive failures are reported once')
  fail(false)
  await evidence.flush()
  t.match(reports.slice(1), ['store client key usage'], 'the recovery is reported once')
  await evidence.flush()
  t.equal(written.length, 1)
  const [day, uses] = at(written)
  t.match(day, /^\d{4}-\d\d-\d\d$/)
  t.match(uses, [
    {
      token: { key: { id: 'managed', source: 'managed' } },
      count: 3,
      lastIp: '10.0.0.1',
      lastAgent: 'three',
      lastAt: Number,
      scopes: new Map([
        ['apps:read', 2],
        ['apps:write', 1]
      ]),
      addresses: new Map([
        ['10.0.0.1', 2],
        ['10.0.0.2', 1]
      ]),
      refusals: new Map([['rate_limited', 2]])
    },
    { token: { key: { id: 'other' } }, count: 0, refusals: new Map([['key_revoked', 1]]) }
  ])
})

test('usage is stored within a second, or immediately if there is a lot of it', async t => {
  // The recorder's timer doesn't keep the process alive.
  const alive = setInterval(() => {}, 1000)
  t.teardown(() => {
    clearInterval(alive)
  })
  const onFailure = (error: unknown): void => {
    t.error(error)
  }
  const sizes: number[] = []
  await new Promise<void>(resolve => {
    const evidence = createUsageRecorder({
      write: async (_, uses) => {
        sizes.push(uses.length)
        if (sizes.length === 20) resolve()
      },
      onFailure
    })
    for (let i = 0; i < 10_000; i++) evidence.used(knownToken({}, { ref: `t${i}` }), [], '::1', undefined)
  })
  t.same(
    sizes,
    Array.from({ length: 20 }, () => 500),
    'usage is stored in batches'
  )

  t.equal(
    await new Promise(resolve => {
      createUsageRecorder({
        write: async (_, uses) => {
          resolve(uses.length)
        },
        onFailure
      }).used(knownToken(), [], '::1', undefined)
    }),
    1
  )
})

test('a day ends at midnight UTC', async t => {
  const { evidence, written } = createStore()
  let now = Date.parse('2026-03-01T23:59:59.999Z')
  const clock = t.intercept(Date, 'now', { value: () => now })
  evidence.used(knownToken(), ['apps:read'], '::1', undefined)
  now++
  evidence.used(knownToken(), ['apps:read'], '::1', undefined)
  now--
  evidence.used(knownToken(), ['apps:read'], '::1', undefined)
  await evidence.flush()
  clock.restore()
  t.same(
    written.map(([day, uses]) => [day, uses[0]?.count]),
    [
      ['2026-03-01', 2],
      ['2026-03-02', 1]
    ]
  )
})

test('memory is limited: the number of addresses always, and the number of tokens while nothing can be stored', async t => {
  const { evidence, written, fail } = createStore()
  for (let i = 0; i < 300; i++) evidence.used(knownToken(), [], `10.0.${i >> 8}.${i & 255}`, undefined)
  await evidence.flush()
  const [, uses] = at(written)
  const { addresses } = at(uses)
  t.equal(addresses.size, 101)
  t.equal(addresses.get('*'), 200)
  fail(true)
  for (let i = 0; i < 100_010; i++) {
    if (i % 2 === 0) evidence.refused(knownToken({}, { ref: `t${i}` }), 'key_revoked')
    else evidence.used(knownToken({}, { ref: `t${i}` }), [], '::1', undefined)
  }
  await evidence.flush()
  fail(false)
  written.length = 0
  await evidence.flush()
  t.equal(
    written.reduce((sum, [, uses]) => sum + uses.length, 0),
    100_000
  )
})

test('usage recorded during a write is stored by the next write, whether or not the first succeeds', async t => {
  const written: TokenUse[] = []
  // Recorded after the batch was taken, but before its write fails.
  const later = [
    () => {
      evidence.used(knownToken(), ['apps:read'], '::2', 'later')
    },
    () => {
      evidence.refused(knownToken(), 'rate_limited')
    }
  ]
  const evidence = createUsageRecorder({
    write: async (_, uses) => {
      const see = later.shift()
      if (see === undefined) {
        written.push(...uses)
        return
      }
      see()
      throw new Error('full')
    },
    onFailure: () => {}
  })
  evidence.used(knownToken(), ['apps:read'], '::1', 'first')
  await evidence.flush()
  await evidence.flush()
  await Promise.all([evidence.flush(), evidence.flush()])
  t.match(written, [
    {
      count: 2,
      lastIp: '::2',
      lastAgent: 'later',
      scopes: new Map([['apps:read', 2]]),
      refusals: new Map([['rate_limited', 1]])
    }
  ])
  t.equal(written.length, 1)
})

test('reads do not wait for a write that hangs, and all waiting reads share one write', async t => {
  const alive = setInterval(() => {}, 1000)
  t.teardown(() => {
    clearInterval(alive)
  })
  let writes = 0
  const ends: (() => void)[] = []
  const evidence = createUsageRecorder({
    write: async () => {
      writes++
      await new Promise<void>(resolve => {
        ends.push(resolve)
      })
    },
    onFailure: error => {
      t.error(error)
    }
  })
  evidence.used(knownToken(), [], '::1', undefined)
  await evidence.settle()
  t.equal(writes, 1, 'the write has started and is pending')
  evidence.used(knownToken(), [], '::1', undefined)
  const waiting = Array.from({ length: 20 }, () => evidence.flush())
  await evidence.settle()
  t.equal(writes, 1)
  at(ends)()
  while (ends.length < 2) {
    await new Promise(resolve => {
      setImmediate(resolve)
    })
  }
  at(ends, 1)()
  await Promise.all(waiting)
  t.equal(writes, 2)
})
