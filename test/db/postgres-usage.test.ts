import tap, { test } from 'tap'
import type { ManagedUsage } from '../../domain/keys/rows.ts'
import type { TokenUse } from '../../domain/keys/usage/recorder.ts'
import { createUsageWriter } from '../../domain/keys/usage/writer.ts'
import { knownToken } from '../helper.ts'
import { execute, postgresDatabase } from '../postgres.ts'
import { connectDirectly, postgres } from '../contract/engines.ts'

const skip = (await postgresDatabase(tap)) === null

const DAY = '2026-02-01'

/** Returns statements that insert keys with one token each. Each digest is the SHA-256 of the row number. */
const insertKeys = (keys: number): string => `
  insert into client_keys (id, name, scopes, enabled, allowed_ips, metadata, created_at, created_by)
    select 'k' || lpad(n::text, 8, '0'), 'key ' || n, '["*"]', true, '[]', '{}', '2026-01-01T00:00:00.000Z', '{}'
    from generate_series(1, ${keys}) as n;
  insert into client_key_tokens (digest, client_key, generation, hint, created_at)
    select sha256(row::text::bytea), row, '0a0b0c0d', 'abcd', created_at from client_keys`

const partitions = async (url: string): Promise<unknown[]> =>
  (
    (await execute(
      url,
      "select inhrelid::regclass::text as name from pg_inherits where inhparent = 'client_key_usage'::regclass order by 1"
    )) as { name: string }[]
  ).map(({ name }) => name)

/** Waits until a transaction in the database is blocked by a lock. */
const waitForLock = async (url: string): Promise<void> => {
  const waiting = "select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
  while ((await execute(url, waiting)).length === 0);
}

const DEADLOCKS = 'select deadlocks::int from pg_stat_database where datname = current_database()'

test('counts that four nodes store concurrently are added up without deadlocks', { skip }, async t => {
  const { url, write } = await postgres(t)
  const before = await execute(url, DEADLOCKS)
  await execute(url, insertKeys(200))
  const digests = (
    (await execute(url, "select encode(digest, 'hex') as digest from client_key_tokens")) as { digest: string }[]
  ).map(({ digest }) => digest)
  const store = createUsageWriter({ write })
  const shuffled = (seed: number) =>
    digests.map((digest, index) => ({ digest, order: (index * seed) % 211 })).sort((a, b) => a.order - b.order)
  const usesOf = (node: number, batch: number): TokenUse[] =>
    shuffled(7 + node * 13 + batch * 31)
      .slice(0, 150)
      .map(({ digest }) => ({
        token: knownToken({ id: `k${digest.slice(0, 1)}` }, { digest }),
        count: 2,
        lastAt: Date.UTC(2026, 1, 1, node, batch),
        lastIp: `10.${node}.0.${batch}`,
        lastAgent: undefined,
        scopes: new Map([['apps:read', 2]]),
        refusals: new Map(),
        addresses: new Map([[`10.${node}.0.${batch}`, 2]])
      }))
  await Promise.all(
    [0, 1, 2, 3].map(async node => {
      for (let batch = 0; batch < 30; batch++) await store(DAY, usesOf(node, batch))
    })
  )
  const total = 4 * 30 * 150 * 2
  t.match(await execute(url, 'select sum(use_count)::int as uses from client_key_tokens'), [{ uses: total }])
  t.match(
    await execute(url, 'select kind, sum(count)::int as uses from client_key_usage group by kind order by kind'),
    [
      { kind: 'address', uses: total },
      { kind: 'scope', uses: total }
    ]
  )
  const labels =
    "select max(labels)::int as labels from (select count(*) as labels from client_key_usage where kind = 'address' group by client_key_id) as counted"
  t.match(await execute(url, labels), [{ labels: 101 }], 'a hundred addresses of a key, and one count for all others')
  const last =
    'select max(token.last_used_at) = max(key.last_used_at) as is_same, max(token.last_used_at) as at from client_key_tokens as token join client_keys as key on row = client_key'
  t.match(await execute(url, last), [{ is_same: true, at: '2026-02-01T03:29:00.000Z' }])
  t.same(await execute(url, DEADLOCKS), before)
})

test('a node that adds addresses to a key waits for another node that is doing the same', { skip }, async t => {
  const { url, write } = await postgres(t)
  const addresses = (node: number) =>
    Array.from({ length: 60 }, (_, index) => ({
      id: 'k',
      day: DAY,
      kind: 'address' as const,
      label: `10.0.${node}.${index}`,
      count: 1
    }))
  const labels: number[][] = []
  let second: Promise<void> | undefined
  const add = async (node: number, during: () => Promise<void>): Promise<void> => {
    await write(async ({ keys }) => {
      labels.push((await keys.lockUsageLabels(addresses(node))).map(({ labels }) => labels))
      await during()
      await keys.addUsage(addresses(node))
    })
  }
  await add(1, async () => {
    second = add(2, async () => {})
    await waitForLock(url)
  })
  await second
  t.same(
    labels.map(([first]) => first),
    [0, 60]
  )
  t.match(await execute(url, 'select count(*)::int as labels from client_key_usage'), [{ labels: 120 }])
  await write(async ({ keys }) => {
    t.match((await keys.lockUsageLabels(addresses(1)))[0], { isStored: true, labels: 120 })
  })
})

test("a day's partition is created once, even if several nodes store the day's first counts", { skip }, async t => {
  const { url, write } = await postgres(t)
  const count = { id: 'k', day: DAY, kind: 'scope', label: 'apps:read', count: 1 } as const
  let second: Promise<void> | undefined
  await write(async ({ keys }) => {
    await keys.addUsage([count])
    second = write(async ({ keys }) => {
      await keys.addUsage([count])
    })
    await waitForLock(url)
  })
  await second
  t.same(await partitions(url), ['client_key_usage_20260201'])
  t.match(await execute(url, 'select count::int from client_key_usage'), [{ count: 2 }])
})

test(
  "earlier days' partitions are dropped, except one that is in use, and are created again if they are needed",
  { skip },
  async t => {
    const { url, write } = await postgres(t)
    const count = (day: string) => ({ id: 'k', day, kind: 'scope', label: 'apps:read', count: 1 }) as const
    const remove = async (day: string): Promise<void> => {
      await write(async ({ keys }) => {
        await keys.removeUsage({ day })
        await keys.addUsage([count('2026-03-01')])
      })
    }
    const add = async (day: string): Promise<void> => {
      await write(async ({ keys }) => {
        await keys.addUsage([count(day)])
      })
    }
    for (const day of ['2026-01-31', '2026-02-01', '2026-03-01']) await add(day)
    const reader = await connectDirectly(t, url)
    await reader.query('begin; set local idle_in_transaction_session_timeout = 0; select from client_key_usage')
    await remove('2026-02-01')
    t.same(await partitions(url), [
      'client_key_usage_20260131',
      'client_key_usage_20260201',
      'client_key_usage_20260301'
    ])
    await reader.query('rollback')
    await remove('2026-02-01')
    t.same(await partitions(url), ['client_key_usage_20260201', 'client_key_usage_20260301'])
    await add('2026-01-31')
    t.equal((await partitions(url)).length, 3)
    t.match(await execute(url, "select count::int from client_key_usage where day = '2026-03-01'"), [{ count: 3 }])
  }
)

test('any error except a lock timeout while a partition is being dropped is a failure', { skip }, async t => {
  const { url, write } = await postgres(t)
  await write(async ({ keys }) => {
    await keys.addUsage([{ id: 'k', day: DAY, kind: 'scope', label: 'apps:read', count: 1 }])
  })
  await execute(url, 'create view report as select * from client_key_usage_20260201')
  const removed = write(async ({ keys }) => {
    await keys.removeUsage({ day: '2026-02-02' })
  })
  await t.rejects(removed, {
    code: 'SERVICE_UNAVAILABLE',
    cause: { code: '2BP01', message: /other objects depend on it/ }
  })
  await execute(url, 'drop view report')
})

test('a page of keys contains the few keys that match its filter, at any position in the list', { skip }, async t => {
  const { url, read } = await postgres(t)
  await execute(url, insertKeys(12_000))
  await execute(url, 'update client_keys set enabled = false where row in (3, 5001, 11999)')
  const page = async (filter: object, limit: number, after?: string): Promise<string[]> =>
    (await read(async ({ keys }) => await keys.page(filter, { limit, after, at: new Date() }))).map(({ id }) => id)
  t.same(await page({ enabled: false }, 10), ['k00000003', 'k00005001', 'k00011999'])
  t.same(await page({ enabled: false }, 2), ['k00000003', 'k00005001'])
  t.same(await page({ enabled: false }, 2, 'k00005001'), ['k00011999'])
  t.same(await page({ enabled: false, namePrefix: 'other' }, 2), [])
  t.same(await page({}, 2, 'k00011999'), ['k00012000'])
})

test("a removed token's use is not stored", { skip }, async t => {
  const { write, read } = await postgres(t)
  const use: ManagedUsage = {
    digest: '0'.repeat(64),
    count: 1,
    lastUsedAt: new Date(),
    lastUsedIp: '::1',
    lastUsedAgent: null
  }
  await write(async ({ keys }) => {
    await keys.addTokenUsage([use])
  })
  t.same(await read(async ({ keys }) => await keys.generations(new Date())), [])
})
