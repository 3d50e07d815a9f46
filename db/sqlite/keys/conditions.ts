import { and, eq, sql } from 'drizzle-orm'
import type { SQL } from 'drizzle-orm'
import { UNSCOPED } from '../../../domain/keys/policy/scopes.ts'
import { createKeyFilter, isActiveToken } from '../../key-conditions.ts'
import { clientKeys, clientKeyTokens } from '../schema.ts'

const hasScope = (scope: string): SQL =>
  sql`exists (select 1 from json_each(${clientKeys.scopes}) where value in (${UNSCOPED}, ${scope}))`

const hasGeneration = (generation: string, at: Date): SQL =>
  sql`exists (select 1 from ${clientKeyTokens} where ${and(
    eq(clientKeyTokens.clientKey, clientKeys.row),
    eq(clientKeyTokens.generation, generation),
    isActiveToken(at)
  )})`

const startsWith = (prefix: string): SQL => sql`substr(${clientKeys.name}, 1, length(${prefix})) = ${prefix}`

/** Matches keys that pass a filter at a given time. */
export const matchesFilter = createKeyFilter({ hasScope, hasGeneration, startsWith })
