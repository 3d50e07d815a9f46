import { and, eq, gt, sql } from 'drizzle-orm'
import type { GenerationUse, KeyReads } from '../../../domain/keys/rows.ts'
import { toOptionalDate } from '../../timestamps.ts'
import type { SqliteDatabase } from '../database.ts'
import { isActiveToken } from '../../key-conditions.ts'
import { clientKeys, clientKeyTokens } from '../schema.ts'

const readGenerations = (db: SqliteDatabase, at: Date): GenerationUse[] =>
  db
    .select({
      generation: clientKeyTokens.generation,
      activeTokens: sql<number>`sum(${isActiveToken(at)})`,
      lastUsedAt: sql<string | null>`max(${clientKeyTokens.lastUsedAt})`
    })
    .from(clientKeyTokens)
    .innerJoin(clientKeys, eq(clientKeys.row, clientKeyTokens.clientKey))
    .groupBy(clientKeyTokens.generation)
    .all()
    .map(use => ({ ...use, lastUsedAt: toOptionalDate(use.lastUsedAt) }))

/** Creates the reads that determine which secrets tokens depend on. */
export const createGenerationReads = (db: SqliteDatabase): Pick<KeyReads, 'generations' | 'otherGenerations'> => {
  const nextGeneration = (last: string): string | undefined =>
    db
      .select({ generation: clientKeyTokens.generation })
      .from(clientKeyTokens)
      .where(gt(clientKeyTokens.generation, last))
      .orderBy(sql`${clientKeyTokens.generation} collate binary`)
      .limit(1)
      .get()?.generation

  const hasActiveToken = (generation: string, at: Date): boolean =>
    db
      .select({ one: sql`1` })
      .from(clientKeyTokens)
      .innerJoin(clientKeys, eq(clientKeys.row, clientKeyTokens.clientKey))
      .where(and(eq(clientKeyTokens.generation, generation), isActiveToken(at)))
      .limit(1)
      .get() !== undefined

  return {
    generations: async at => readGenerations(db, at),

    // Uses the index to skip from one generation to the next, because `distinct` would read every token.
    otherGenerations: async (known, at) => {
      const others: string[] = []
      for (let next = nextGeneration(''); next !== undefined; next = nextGeneration(next)) {
        if (!known.includes(next) && hasActiveToken(next, at)) others.push(next)
      }
      return others
    }
  }
}
