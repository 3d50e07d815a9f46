import { and, eq, sql } from 'drizzle-orm'
import type { SQL } from 'drizzle-orm'
import { createKeyFilter, isActiveToken } from '../../key-conditions.ts'
import { clientKeys, clientKeyTokens } from '../schema.ts'

/** Matches the keys that have any of the given scopes. */
export const hasAnyScope = (scopes: readonly string[]): SQL =>
  sql`exists (select 1 from json_each(${clientKeys.scopes}) where value in ${[...scopes]})`

const hasGeneration = (generation: string, at: Date): SQL =>
  sql`exists (select 1 from ${clientKeyTokens} where ${and(
    eq(clientKeyTokens.clientKey, clientKeys.row),
    eq(clientKeyTokens.generation, generation),
    isActiveToken(at)
  )})`

const startsWith = (prefix: string): SQL => sql`substr(${clientKeys.name}, 1, length(${prefix})) = ${prefix}`

/** Matches keys that pass a filter at a given time. */
export const matchesFilter = createKeyFilter({ hasAnyScope, hasGeneration, startsWith })
