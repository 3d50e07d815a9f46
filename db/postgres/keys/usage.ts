import type { KeyUsageCount, KeyUsageRows, KnownUsageCount, TokenUsage } from '../../../domain/keys/rows.ts'
import { toText } from '../../timestamps.ts'
import { lock, query } from '../database.ts'
import type { PostgresDatabase } from '../database.ts'
import type { Outbox } from '../transaction.ts'
import { dropDaysBefore, ensureDay } from './partitions.ts'

// To prevent deadlocks, all transactions that add usage lock rows in the same order: tokens by digest, keys by row, and
// environment keys' uses and the counts by their primary keys. See also `LOCK_TOKENS` in rows.ts.
const LOCK_TOKENS = 'select from client_key_tokens where digest = any($1::bytea[]) order by digest for no key update'

const KEYS_OF_TOKENS = 'select client_key from client_key_tokens where digest = any($1::bytea[])'

const LOCK_KEYS = `select from client_keys where row in (${KEYS_OF_TOKENS}) order by row for no key update`

// The keys are selected twice, so that PostgreSQL uses the index regardless of the number of keys.
const USE = `
  with uses as (
    update client_key_tokens as token set use_count = token.use_count + used.count,
      last_used_at = greatest(token.last_used_at, used.at),
      last_used_ip = case when token.last_used_at >= used.at then token.last_used_ip else used.ip end,
      last_used_agent = case when token.last_used_at >= used.at then token.last_used_agent else used.agent end
    from unnest($1::bytea[], $2::bigint[], $3::text[], $4::text[], $5::text[]) as used (digest, count, at, ip, agent)
    where token.digest = used.digest returning token.client_key as key, used.at
  )
  update client_keys set last_used_at = greatest(last_used_at, used.at)
  from (select key, max(at) as at from uses group by key) as used
  where row = used.key and row = any(array(${KEYS_OF_TOKENS}))
`

const USE_ENVIRONMENT_KEYS = `
  insert into environment_key_uses as known
    (client_key_id, generation, use_count, last_used_at, last_used_ip, last_used_agent)
  select id, generation, sum(count)::bigint, max(at), (array_agg(ip order by at desc))[1],
    (array_agg(agent order by at desc))[1]
  from unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::text[], $6::text[])
    as used (id, generation, count, at, ip, agent)
  group by id, generation order by id, generation
  on conflict (client_key_id, generation) do update set use_count = known.use_count + excluded.use_count,
    last_used_at = greatest(known.last_used_at, excluded.last_used_at),
    last_used_ip =
      case when known.last_used_at >= excluded.last_used_at then known.last_used_ip else excluded.last_used_ip end,
    last_used_agent =
      case when known.last_used_at >= excluded.last_used_at then known.last_used_agent else excluded.last_used_agent end
`

const LABELS = `
  select client_key_id as id, day, kind, count(*) as labels,
    coalesce(array_agg(label) filter (where label = any($4::text[])), '{}') as stored
  from client_key_usage
  where client_key_id = any($1::text[]) and day = any($2::text[]) and kind = any($3::text[])
  group by client_key_id, day, kind
`

const ADD = `
  insert into client_key_usage as known (client_key_id, day, kind, label, count)
  select id, day, kind, label, sum(count)::bigint
  from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[]) as added (id, day, kind, label, count)
  group by id, day, kind, label order by id, day, kind, label
  on conflict (client_key_id, day, kind, label) do update set count = known.count + excluded.count
`

/** Returns the values of a batch by column. */
const usesOf = (uses: readonly TokenUsage[]) => [
  uses.map(({ count }) => count),
  uses.map(({ lastUsedAt }) => toText(lastUsedAt)),
  uses.map(({ lastUsedIp }) => lastUsedIp),
  uses.map(({ lastUsedAgent }) => lastUsedAgent)
]

const labelsOf = (counts: readonly KeyUsageCount[]) => [
  counts.map(({ id }) => id),
  counts.map(({ day }) => day),
  counts.map(({ kind }) => kind),
  counts.map(({ label }) => label)
]

const NONE = { labels: 0, stored: new Set<string>() }

const nameOf = (...parts: unknown[]): string => JSON.stringify(parts)

const knownLabels = async (db: PostgresDatabase, counts: readonly KeyUsageCount[]): Promise<KnownUsageCount[]> => {
  const { rows } = await query(
    db,
    LABELS,
    labelsOf(counts).map(values => [...new Set(values)])
  )
  const known = new Map(
    rows.map(({ id, day, kind, labels, stored }) => [
      nameOf(id, day, kind),
      { labels: Number(labels), stored: new Set(stored as string[]) }
    ])
  )
  return counts.map(count => {
    const { labels, stored } = known.get(nameOf(count.id, count.day, count.kind)) ?? NONE
    return { ...count, isStored: stored.has(count.label), labels }
  })
}

/**
 * How long a transaction waits for a key's row. It's short, because a waiting transaction blocks changes to rows that
 * it has locked, and changes take precedence.
 */
const ROW_TIMEOUT_MS = 100

/**
 * Creates the rows for usage. One or two statements write a few hundred uses. The statements that lock keys' rows are
 * sent last, together with the commit, because changes to these keys wait for them.
 */
export const createUsageRows = (db: PostgresDatabase, { defer }: Outbox): KeyUsageRows => ({
  addTokenUsage: async uses => {
    if (uses.length === 0) return
    const digests = uses.map(({ digest }) => Buffer.from(digest, 'hex'))
    defer('use', async own => await query(own, `set local lock_timeout = ${ROW_TIMEOUT_MS}`))
    defer('use', async own => await query(own, LOCK_TOKENS, [digests]))
    defer('use', async own => await query(own, LOCK_KEYS, [digests]))
    defer('use', async own => await query(own, USE, [digests, ...usesOf(uses)]))
  },

  addEnvironmentUsage: async uses => {
    if (uses.length === 0) return
    const names = [uses.map(({ id }) => id), uses.map(({ generation }) => generation)]
    defer('write', async own => await query(own, USE_ENVIRONMENT_KEYS, [...names, ...usesOf(uses)]))
  },

  // Most labels are already stored. No lock is needed if none is added.
  lockUsageLabels: async counts => {
    const known = await knownLabels(db, counts)
    if (known.every(({ isStored }) => isStored)) return known
    await lock(db, 'usageLabels')
    return await knownLabels(db, counts)
  },

  addUsage: async counts => {
    for (const day of new Set(counts.map(({ day }) => day))) await ensureDay(db, day)
    defer('write', async own => await query(own, ADD, [...labelsOf(counts), counts.map(({ count }) => count)]))
  },

  removeUsage: async ({ day }) => {
    await dropDaysBefore(db, day)
  }
})
