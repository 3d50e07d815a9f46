import { test } from 'tap'
import type { Test } from 'tap'
import { createMemoryStore } from '../../db/memory/store.ts'
import { createExpiryCounts } from '../../domain/keys/lifecycle/expiry-counts.ts'
import { createKeyService } from '../../domain/keys/service.ts'
import { newSecret, operator, settings } from '../helper.ts'
import { createServer } from '../../app.ts'
import { emptyPostgres } from '../postgres.ts'

const HOUR_MS = 3_600_000
const MINUTE_MS = 60_000

const hoursFrom = (now: number, hours: number): Date => new Date(now + hours * HOUR_MS)

/** Creates keys. Returns the metric's samples, and all metrics as a string. */
const countExpiring = async (t: Test, env: Record<string, string>) => {
  const fastify = await createServer(settings(t, { METRICS_PORT: '0', ...env }).env)
  t.teardown(() => fastify.close())
  await fastify.ready()
  const { clientKeys: keys, metrics, expiryCounts } = fastify
  const issue = async (name: string, hours: number, enabled = true): Promise<string> =>
    (await keys.issue({ name, enabled, expiresAt: hoursFrom(keys.now(), hours) }, operator)).key.id
  const ids = [
    await issue('billing one', 23),
    await issue('billing two', 25),
    await issue('billing three', 167),
    await issue('billing four', 169),
    await issue('later', 721),
    await issue('disabled', 2, false),
    await issue('revoked', 2)
  ]
  await keys.revoke(String(ids.at(-1)), null, operator)
  await keys.issue({ name: 'never' }, operator)
  const render = async (): Promise<string> => String((await metrics?.render())?.text)
  const before = await render()
  await expiryCounts.settled()
  const after = await render()
  return { ids, before, samples: after.split('\n').filter(line => line.startsWith('trivial_keys_expiring')), after }
}

const check = async (t: Test, env: Record<string, string>): Promise<void> => {
  const { ids, before, samples, after } = await countExpiring(t, env)
  t.notMatch(before, /^trivial_keys_expiring/m, 'the first scrape does not wait for the counts')
  t.same(samples, [
    'trivial_keys_expiring{within_days="1"} 1',
    'trivial_keys_expiring{within_days="7"} 3',
    'trivial_keys_expiring{within_days="30"} 4'
  ])
  for (const word of [...ids, 'billing']) t.notMatch(after, word)
}

test('the metrics count the active keys that expire within a day, a week and 30 days', async t => {
  await check(t, {})
})

test('on PostgreSQL, the metrics count the same keys', async t => {
  const url = await emptyPostgres()
  if (url !== null) await check(t, { DATABASE_URL: url })
})

/** Creates counts of a store in memory, with a separate clock. */
const world = () => {
  const store = createMemoryStore()
  const keys = createKeyService({ store, secret: newSecret() })
  const reports: string[] = []
  const clock = { minutes: 0 }
  const counts = createExpiryCounts({
    keys,
    background: {
      onFailure: (error, work) => reports.push(`${(error as Error).message}: ${work}`),
      onRecovery: work => reports.push(`again: ${work}`)
    },
    elapsed: () => clock.minutes * MINUTE_MS
  })
  return {
    store,
    keys,
    reports,
    issue: async (name: string) => await keys.issue({ name, expiresAt: hoursFrom(keys.now(), 1) }, operator),
    /**
     * Returns how many keys are reported to expire within a day at a certain minute, before and after the refresh that
     * this call starts.
     */
    countsAt: async (minutes: number): Promise<(number | undefined)[]> => {
      clock.minutes = minutes
      const [now] = counts.latest()
      await counts.settled()
      return [now?.keys, counts.latest()[0]?.keys]
    }
  }
}

test('the counts are refreshed when they are older than ten minutes', async t => {
  const { issue, countsAt } = world()
  await issue('one')
  t.same(await countsAt(0), [undefined, 1])
  await issue('two')
  t.same(await countsAt(10), [1, 1])
  t.same(await countsAt(10.1), [1, 2])
  t.same(await countsAt(20), [2, 2])
})

test('all keys are counted, even if there are many pages of them', async t => {
  const { store, issue, countsAt } = world()
  const { key } = await issue('key')
  await store.write(async ({ keys }) => {
    for (let i = 0; i < 1000; i++) {
      const id = `${key.id}-${i}`
      await keys.insert({ ...key, id, name: id, createdAt: new Date(), createdBy: operator.actor })
    }
  })
  t.same(await countsAt(0), [undefined, 1001])
})

test("if the keys can't be read, the counts stay unchanged, and the failure is reported once", async t => {
  const { keys, issue, countsAt, reports } = world()
  await issue('one')
  t.same(await countsAt(0), [undefined, 1])
  const { list } = keys
  keys.list = async () => {
    throw new Error('out of the blue')
  }
  t.same(await countsAt(11), [1, 1])
  t.same(await countsAt(22), [1, 1])
  keys.list = list
  await issue('two')
  t.same(await countsAt(33), [1, 2])
  t.same(reports, [
    'out of the blue: count the client keys that expire soon',
    'again: count the client keys that expire soon'
  ])
})
