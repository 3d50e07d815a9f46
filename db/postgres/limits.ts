import { createWatch, NOT_REPORTED } from '../../domain/background.ts'
import type { Count, Counters } from '../../domain/counters.ts'
import { asQuery, toFailure } from './failures.ts'

/** Sends one statement on any connection and returns its rows, as `pg.Pool` does. */
export type Query = (text: string, values: unknown[]) => Promise<{ rows: unknown[] }>

export interface PostgresCounters extends Counters {
  /** Deletes at most 1,000 counters whose windows are over, and returns how many it has deleted. */
  readonly removeExpired: () => Promise<number>
}

/**
 * The number of statements after which expired counters are removed. These statements create fewer rows than one
 * removal can delete.
 */
const STATEMENTS_A_REMOVAL = 500

// The time of a hit is the time at which its row is locked, according to the database's clock, which all nodes share. A
// window whose start is in the future began before the clock was set back, so it counts as over.
const HIT = `
insert into rate_counters as held (key, hits, started_at, expires_at)
values ($1, $2, clock_timestamp(), clock_timestamp() + $3 * interval '1 second')
on conflict (key) do update set (hits, started_at, expires_at) = (
  select
    case when is_over then excluded.hits else held.hits + excluded.hits end,
    case when is_over then now else held.started_at end,
    case when is_over then now else held.started_at end + $3 * interval '1 second'
  from (
    select now, held.started_at > now or held.started_at + $3 * interval '1 second' <= now as is_over
    from (select clock_timestamp() as now) as clock
  ) as judged
)
returning hits::float8, extract(epoch from expires_at - clock_timestamp())::float8 * 1000 as ttl`

// Skips rows that are being hit, so that neither statement waits for the other. The next removal deletes them.
const REMOVE = `
delete from rate_counters where key = any (array(
  select key from rate_counters where expires_at <= statement_timestamp()
  order by expires_at limit 1000 for update skip locked
))
returning key`

/**
 * Creates counters in the PostgreSQL table `rate_counters`. Each hit takes a single statement. Hits for a key that
 * arrive while one is in progress are counted together by the next statement, so a key never uses more than one of this
 * node's connections.
 */
export const createPostgresCounters = (send: Query, background = NOT_REPORTED): PostgresCounters => {
  const removal = createWatch('remove expired counters', background)
  const gather = createGathering()
  let statements = 0

  const query: Query = async (text, values) => {
    try {
      return await asQuery(send(text, values))
    } catch (error) {
      throw toFailure(error)
    }
  }

  const removeExpired = async (): Promise<number> => (await query(REMOVE, [])).rows.length

  const count = async (key: string, hits: number, windowSeconds: number): Promise<Count> => {
    // No hit waits for the removal. If it fails, the next one deletes the same rows.
    if (++statements % STATEMENTS_A_REMOVAL === 0) void removal.attempt(removeExpired)
    const [row] = (await query(HIT, [key, hits, windowSeconds])).rows as [{ hits: number; ttl: number }]
    return { hits: row.hits, ttlMs: row.ttl }
  }

  return {
    removeExpired,
    hit: async (key, windowSeconds) =>
      await gather(`${windowSeconds} ${key}`, async hits => await count(key, hits, windowSeconds))
  }
}

interface Batch {
  size: number
  readonly counted: Promise<Count>
}

type Gather = (name: string, count: (hits: number) => Promise<Count>) => Promise<Count>

/** Counts hits with the same name together if they arrive while an earlier count is in progress. */
const createGathering = (): Gather => {
  const gathering = new Map<string, Batch>()
  const underWay = new Map<string, Promise<unknown>>()

  const begin: (...args: Parameters<Gather>) => Batch = (name, count) => {
    const send = async (): Promise<Count> => {
      gathering.delete(name)
      return await count(batch.size)
    }
    const before = underWay.get(name)
    const batch: Batch = { size: 0, counted: (before ?? Promise.resolve()).then(send) }
    const done = batch.counted
      // The batch's hits report its failure. The next batch is counted in any case.
      .catch(() => {})
      .then(() => {
        if (underWay.get(name) === done) underWay.delete(name)
      })
    gathering.set(name, batch)
    underWay.set(name, done)
    return batch
  }

  return async (name, count) => {
    const batch = gathering.get(name) ?? begin(name, count)
    const place = ++batch.size
    const { hits, ttlMs } = await batch.counted
    return { hits: hits - batch.size + place, ttlMs }
  }
}
