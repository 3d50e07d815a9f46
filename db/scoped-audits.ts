import { setImmediate } from 'node:timers/promises'
import { sql } from 'drizzle-orm'
import type { SQL } from 'drizzle-orm'
import type { AuditScope, ScopedAudit, ScopedAuditReads, ScopedSearch } from '../domain/audits/scope.ts'
import { toDate } from './timestamps.ts'
import { isUserOfScope, meetsAll, subjectsOf } from './scoped-audit-conditions.ts'

/** The maximum number of entries that are looked up by subject. If a scope has more, the trail is read backwards. */
const MAX_GATHERED = 10_000

/** The parts of the searches that differ between engines. */
interface Engine {
  /** Runs a statement and returns its rows. Numbers may be strings. */
  readonly rows: <Row>(statement: SQL) => Promise<Row[]>
  /** The number of entries that one statement reads. */
  readonly window: number
  /** Returns the condition that an entry's subject is in the scope. */
  readonly isInScope: (scope: AuditScope) => SQL
  /** The join operator for looking up the entries of each subject in their index. */
  readonly join: SQL
}

interface AuditRow {
  readonly sequence: number | string
  readonly at: string
  readonly actor_kind: string
  readonly actor_id: string
  readonly actor_name: string
  readonly action: string
  readonly subject_type: string
  readonly subject_id: string
  readonly changes: string
  readonly app_id: number | string | null
  readonly subject_name: string | null
  readonly actor_email: string | null
}

/** Creates the searches of the audit trail by scope. */
export const createScopedAuditReads = (engine: Engine): ScopedAuditReads => ({
  find: async (search, { limit }) => {
    const few = await gather(engine, { ...search, conditions: [] })
    if (few.length > MAX_GATHERED) return await walk(engine, search, limit)
    return search.conditions.length === 0 ? few : await gather(engine, search)
  },

  read: async (scope, sequences) =>
    sequences.length === 0 ? [] : (await engine.rows<AuditRow>(selectAudits(scope, sequences))).map(toScopedAudit)
})

/**
 * Looks up entries by subject. Returns the sequence numbers of those that match the search, newest first. If there are
 * more than `MAX_GATHERED`, returns only `MAX_GATHERED` + 1 of them.
 */
const gather = async ({ rows, join }: Engine, { scope, conditions }: ScopedSearch): Promise<number[]> => {
  const found = await rows<{ sequence: number | string }>(sql`
    select audits.sequence from (${subjectsOf(scope)}) as subjects ${join}
    audits on audits.subject_type = subjects.type and audits.subject_id = subjects.id
    where ${meetsAll(conditions)}
    limit ${MAX_GATHERED + 1}`)
  return found.map(({ sequence }) => Number(sequence)).sort((one, other) => other - one)
}

/** Reads the trail backwards, one window at a time, until `limit` entries are found. */
const walk = async (
  { rows, window, isInScope }: Engine,
  { scope, conditions }: ScopedSearch,
  limit: number
): Promise<number[]> => {
  const found: number[] = []
  let last = await newestBelow(rows, Number.MAX_SAFE_INTEGER)
  while (last !== null && found.length < limit) {
    const first = last - window + 1
    const some = await rows<{ sequence: number | string }>(sql`
      select audits.sequence from audits
      where audits.sequence between ${first} and ${last} and ${isInScope(scope)} and ${meetsAll(conditions)}
      order by audits.sequence desc limit ${limit - found.length}`)
    found.push(...some.map(({ sequence }) => Number(sequence)))
    last = await newestBelow(rows, first)
    await setImmediate()
  }
  return found
}

/** Returns the largest sequence number below the given one, or null if there is none. Forged entries may leave gaps. */
const newestBelow = async (rows: Engine['rows'], sequence: number): Promise<number | null> => {
  const [newest] = await rows<{ last: number | string | null }>(
    sql`select max(audits.sequence) as last from audits where audits.sequence < ${sequence}`
  )
  const last = Number(newest?.last)
  return last > 0 ? last : null
}

const selectAudits = (scope: AuditScope, sequences: readonly number[]): SQL => {
  const each = sequences.map(sequence => sql`${sequence}`)
  return sql`
    select audits.sequence, audits.at, audits.actor_kind, audits.actor_id, audits.actor_name, audits.action,
      audits.subject_type, audits.subject_id, audits.changes,
      case audits.subject_type
        when 'app' then (select apps.id from apps where apps.name = audits.subject_id)
      end as app_id,
      case audits.subject_type
        when 'app' then (select apps.descriptive_name from apps where apps.name = audits.subject_id)
        when 'organization' then (
          select organizations.name from organizations where organizations.id = cast(audits.subject_id as bigint)
        )
      end as subject_name,
      case audits.actor_kind
        when 'user' then (
          select users.email from users
          where users.id = cast(audits.actor_id as bigint) and ${isUserOfScope(scope)}
        )
      end as actor_email
    from audits
    where audits.sequence in (${sql.join(each, sql`, `)})
    order by audits.sequence desc`
}

const toScopedAudit = (row: AuditRow): ScopedAudit => ({
  sequence: Number(row.sequence),
  at: toDate(row.at),
  actor: { kind: row.actor_kind, id: row.actor_id, name: row.actor_name },
  action: row.action,
  subject: { type: row.subject_type, id: row.subject_id },
  changes: row.changes,
  appId: row.app_id === null ? null : Number(row.app_id),
  subjectName: row.subject_name,
  actorEmail: row.actor_email
})
