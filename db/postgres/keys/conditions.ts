import { and, eq, sql } from 'drizzle-orm'
import type { SQL } from 'drizzle-orm'
import { createKeyFilter, isActiveToken } from '../../key-conditions.ts'
import { clientKeys, clientKeyTokens } from '../schema.ts'

// Compared as JSON, because in plain text, a scope with a comma could match parts of two other scopes.
const hasAnyScope = (scopes: readonly string[]): SQL =>
  sql`${clientKeys.scopes}::jsonb ?| ${sql.param([...scopes])}::text[]`

// Doesn't use `exists`, for which PostgreSQL may choose a join with every token of the generation.
const hasGeneration = (generation: string, at: Date): SQL =>
  sql`(select true from ${clientKeyTokens} where ${and(
    eq(clientKeyTokens.clientKey, clientKeys.row),
    eq(clientKeyTokens.generation, generation),
    isActiveToken(at)
  )} limit 1)`

const startsWith = (prefix: string): SQL => sql`starts_with(${clientKeys.name}, ${prefix})`

/** Matches keys that pass a filter at a given time. */
export const matchesFilter = createKeyFilter({ hasAnyScope, hasGeneration, startsWith })
