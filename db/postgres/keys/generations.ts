import { and, eq, gt, lte, max, sql } from 'drizzle-orm'
import type { GenerationUse, KeyReads } from '../../../domain/keys/rows.ts'
import { toOptionalDate } from '../../timestamps.ts'
import type { PostgresDatabase } from '../database.ts'
import { isActiveToken } from '../../key-conditions.ts'
import { clientKeys, clientKeyTokens } from '../schema.ts'

/** The number of keys that a statement reads. This limits its duration, regardless of the total number of keys. */
const WINDOW = 100_000

type Use = Omit<GenerationUse, 'generation'>

const lastRow = async (db: PostgresDatabase): Promise<number> =>
  Number((await db.select({ last: max(clientKeys.row) }).from(clientKeys))[0]?.last)

const readWindow = async (db: PostgresDatabase, at: Date, after: number) =>
  await db
    .select({
      generation: clientKeyTokens.generation,
      activeTokens: sql`count(*) filter (where ${isActiveToken(at)})`.mapWith(Number),
      lastUsedAt: sql<string | null>`max(${clientKeyTokens.lastUsedAt})`
    })
    .from(clientKeyTokens)
    .innerJoin(clientKeys, eq(clientKeys.row, clientKeyTokens.clientKey))
    .where(and(gt(clientKeys.row, after), lte(clientKeys.row, after + WINDOW)))
    .groupBy(clientKeyTokens.generation)

const readGenerations = async (db: PostgresDatabase, at: Date): Promise<GenerationUse[]> => {
  const uses = new Map<string, Use>()
  const last = await lastRow(db)
  for (let after = 0; after < last; after += WINDOW) {
    for (const { generation, activeTokens, lastUsedAt } of await readWindow(db, at, after)) {
      uses.set(generation, added(uses.get(generation), { activeTokens, lastUsedAt: toOptionalDate(lastUsedAt) }))
    }
  }
  return Array.from(uses, ([generation, use]) => ({ generation, ...use }))
}

const added = (known: Use = { activeTokens: 0, lastUsedAt: null }, more: Use): Use => ({
  activeTokens: known.activeTokens + more.activeTokens,
  lastUsedAt: Number(more.lastUsedAt) > Number(known.lastUsedAt) ? more.lastUsedAt : known.lastUsedAt
})

// Uses the index to skip from one generation to the next, because `distinct` would read every token.
const others = (db: PostgresDatabase, known: readonly string[], at: Date) => {
  const next = sql`select generation from ${clientKeyTokens}`
  const active = db
    .select({ one: sql`1` })
    .from(clientKeyTokens)
    .innerJoin(clientKeys, eq(clientKeys.row, clientKeyTokens.clientKey))
    .where(and(eq(clientKeyTokens.generation, sql`other.generation`), isActiveToken(at)))
  return sql<{ generation: string }>`
    with recursive other as (
      (${next} order by generation limit 1)
      union all
      select (${next} where generation > other.generation order by generation limit 1) from other
      where other.generation is not null
    )
    select generation from other
    where generation is not null and generation <> all(${sql.param(known)}::text[]) and exists ${active}
  `
}

/** Creates the reads that determine which secrets tokens depend on. */
export const createGenerationReads = (db: PostgresDatabase): Pick<KeyReads, 'generations' | 'otherGenerations'> => ({
  generations: async at => await readGenerations(db, at),

  otherGenerations: async (known, at) => {
    const { rows } = await db.execute<{ generation: string }>(others(db, known, at))
    return rows.map(({ generation }) => generation)
  }
})
