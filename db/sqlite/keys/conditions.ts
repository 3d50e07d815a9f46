import { and, eq, gt, isNotNull, isNull, lt, or, sql } from 'drizzle-orm'
import type { SQL } from 'drizzle-orm'
import type { ClientKeyFilter } from '../../../domain/keys/rows.ts'
import { UNSCOPED } from '../../../domain/keys/policy/scopes.ts'
import { toText } from '../../instants.ts'
import { clientKeys, clientKeyTokens } from '../schema.ts'

/** Whether a token is neither revoked nor expired, whatever its key is. */
export const isActiveByItself = (at: Date): SQL | undefined =>
  and(
    isNull(clientKeyTokens.revokedAt),
    or(isNull(clientKeyTokens.expiresAt), gt(clientKeyTokens.expiresAt, toText(at)))
  )

/** Whether neither a token nor its key is revoked or expired. */
export const isActiveToken = (at: Date): SQL | undefined =>
  and(
    isActiveByItself(at),
    isNull(clientKeys.revokedAt),
    or(isNull(clientKeys.expiresAt), gt(clientKeys.expiresAt, toText(at)))
  )

const wasUnusedSince = (instant: Date): SQL | undefined =>
  and(
    lt(clientKeys.createdAt, toText(instant)),
    or(isNull(clientKeys.lastUsedAt), lt(clientKeys.lastUsedAt, toText(instant)))
  )

const hasScope = (scope: string): SQL =>
  sql`exists (select 1 from json_each(${clientKeys.scopes}) where value in (${UNSCOPED}, ${scope}))`

const hasGeneration = (generation: string, at: Date): SQL =>
  sql`exists (select 1 from ${clientKeyTokens} where ${and(
    eq(clientKeyTokens.clientKey, clientKeys.row),
    eq(clientKeyTokens.generation, generation),
    isActiveToken(at)
  )})`

const startsWith = (prefix: string): SQL => sql`substr(${clientKeys.name}, 1, length(${prefix})) = ${prefix}`

/** The keys that pass a filter at an instant. */
export const matchesFilter = (filter: ClientKeyFilter, at: Date): SQL | undefined => {
  const { enabled, revoked, expiresBefore, unusedSince, namePrefix, scope, generation } = filter
  return and(
    enabled === undefined ? undefined : eq(clientKeys.enabled, enabled),
    revoked === undefined ? undefined : revoked ? isNotNull(clientKeys.revokedAt) : isNull(clientKeys.revokedAt),
    expiresBefore === undefined ? undefined : lt(clientKeys.expiresAt, toText(expiresBefore)),
    unusedSince === undefined ? undefined : wasUnusedSince(unusedSince),
    namePrefix === undefined ? undefined : startsWith(namePrefix),
    scope === undefined ? undefined : hasScope(scope),
    generation === undefined ? undefined : hasGeneration(generation, at)
  )
}
