import { and, not, sql } from 'drizzle-orm'
import type { SQL } from 'drizzle-orm'
import { UNSCOPED } from '../domain/keys/policy/scopes.ts'
import type { ClientKeyFilter } from '../domain/keys/rows.ts'
import { toText } from './timestamps.ts'

// These conditions are the same SQL for every engine. Statements that use them must refer to the tables by name.

const isEnabled = sql`client_keys.enabled`
const isRevoked = sql`client_keys.revoked_at is not null`
const isNotRevoked = sql`client_keys.revoked_at is null`

/** Matches tokens that are neither revoked nor expired, regardless of their keys. */
export const isActiveByItself = (at: Date): SQL => sql`(
  client_key_tokens.revoked_at is null
  and (client_key_tokens.expires_at is null or client_key_tokens.expires_at > ${toText(at)})
)`

/** Matches tokens if neither they nor their keys are revoked or expired. */
export const isActiveToken = (at: Date): SQL => sql`(
  ${isActiveByItself(at)} and ${isNotRevoked}
  and (client_keys.expires_at is null or client_keys.expires_at > ${toText(at)})
)`

const wasUnusedSince = (timestamp: Date): SQL => sql`(
  client_keys.created_at < ${toText(timestamp)}
  and (client_keys.last_used_at is null or client_keys.last_used_at < ${toText(timestamp)})
)`

/** The conditions that each engine expresses differently. */
interface OwnConditions {
  /** Matches keys that have any of the given scopes. */
  readonly hasAnyScope: (scopes: readonly string[]) => SQL
  /** Matches keys that have an active token of the given generation. */
  readonly hasGeneration: (generation: string, at: Date) => SQL
  readonly startsWith: (prefix: string) => SQL
}

/** Creates a function that returns the condition for keys that pass a filter at a given time. */
export const createKeyFilter =
  ({ hasAnyScope, hasGeneration, startsWith }: OwnConditions) =>
  (filter: ClientKeyFilter, at: Date): SQL | undefined => {
    const { enabled, revoked, expiresBefore, unusedSince, namePrefix, owner, scope, anyOfScopes, generation } = filter
    return and(
      enabled === undefined ? undefined : enabled ? isEnabled : not(isEnabled),
      revoked === undefined ? undefined : revoked ? isRevoked : isNotRevoked,
      expiresBefore === undefined ? undefined : sql`client_keys.expires_at < ${toText(expiresBefore)}`,
      unusedSince === undefined ? undefined : wasUnusedSince(unusedSince),
      namePrefix === undefined ? undefined : startsWith(namePrefix),
      owner === undefined ? undefined : sql`client_keys.owner = ${owner}`,
      scope === undefined ? undefined : hasAnyScope([scope, UNSCOPED]),
      anyOfScopes === undefined ? undefined : hasAnyScope(anyOfScopes),
      generation === undefined ? undefined : hasGeneration(generation, at)
    )
  }
