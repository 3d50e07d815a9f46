import type { QueryResultRow } from 'pg'
import type { KeyReads, KeyRows, UsageCount } from '../../../domain/keys/rows.ts'
import { ALL_ADDRESSES, createUsageSums, toPolicy } from '../../owned-keys.ts'
import type { PolicyRow } from '../../owned-keys.ts'
import { toText } from '../../timestamps.ts'
import { LOCK_SPACE, query } from '../database.ts'
import type { PostgresDatabase } from '../database.ts'
import type { Outbox } from '../transaction.ts'

// The revocation of an owner's keys locks the owner, and every transaction that gives the owner a key shares that lock.
// So the revocation misses no key, and doesn't have to be repeated, however many keys are issued in the meantime.

/** The first number of the locks of owners. The second is a hash of the owner. */
const OWNER_SPACE = LOCK_SPACE + 1
const LOCK_OWNER = `select pg_advisory_xact_lock(${OWNER_SPACE}, hashtext($1))`
const SHARE_OWNER = `select pg_advisory_xact_lock_shared(${OWNER_SPACE}, hashtext($1))`

/** Waits while the keys of the owner are being revoked. Must precede the locks of rows, to prevent deadlocks. */
export const shareOwner = ({ defer }: Outbox, owner: string): void => {
  defer('lock', async db => await query(db, SHARE_OWNER, [owner]))
}

const POLICY = 'scopes, allowed_ips, rate_limit_max::float8, rate_limit_window_seconds::float8'
const POLICIES_OF = (keys: string): string => `
  select ${POLICY}, count(*)::float8 as keys,
    case when bool_and(expires_at is not null) then max(expires_at) end as expires_at
  from ${keys} group by scopes, allowed_ips, rate_limit_max, rate_limit_window_seconds
`
const READ_POLICIES = POLICIES_OF('client_keys where owner = $1 and revoked_at is null')

// Locks the rows in the same order as the recording of usage does, which prevents deadlocks.
const REVOKE = `
  with locked as materialized (
    select row from client_keys where owner = $1 and revoked_at is null order by row for no key update
  ), revoked as (
    update client_keys set revoked_at = $2, revoked_reason = $3 from locked where client_keys.row = locked.row
    returning scopes, allowed_ips, rate_limit_max, rate_limit_window_seconds, expires_at
  )
  ${POLICIES_OF('revoked')}
`

/** The number of keys whose usage a statement reads. */
const WINDOW = 5000
const READ_IDS = `select id from client_keys where owner = $1 and id > $2 order by id limit ${WINDOW}`
const READ_USAGE = `
  select day, kind, case kind when 'address' then '${ALL_ADDRESSES}' else label end as label, sum(count)::float8 as count
  from client_key_usage where client_key_id = any($1::text[]) and day >= $2
  group by 1, 2, 3
`

const policyOf = (row: QueryResultRow) =>
  toPolicy({
    scopes: row['scopes'],
    expiresAt: row['expires_at'],
    allowedIps: row['allowed_ips'],
    rateLimitMax: row['rate_limit_max'],
    rateLimitWindowSeconds: row['rate_limit_window_seconds']
  } as PolicyRow)

/** Creates the reads of the keys of an owner. */
export const createOwnerReads = (db: PostgresDatabase): Pick<KeyReads, 'usageOfOwner' | 'policiesOfOwner'> => ({
  policiesOfOwner: async owner => (await query(db, READ_POLICIES, [owner])).rows.map(policyOf),

  usageOfOwner: async (owner, { day }) => {
    const sums = createUsageSums()
    for (let after: string | undefined = ''; after !== undefined;) {
      const ids: string[] = (await query(db, READ_IDS, [owner, after])).rows.map(row => String(row['id']))
      sums.add((await query(db, READ_USAGE, [ids, day])).rows as UsageCount[])
      after = ids.length < WINDOW ? undefined : ids.at(-1)
    }
    return sums.all()
  }
})

/** Creates the rows that change all keys of an owner. They write immediately, because many rows take long. */
export const createOwnerRows = (db: PostgresDatabase): Pick<KeyRows, 'revokeOwner'> => ({
  revokeOwner: async (owner, { at, reason }) => {
    await query(db, LOCK_OWNER, [owner])
    const { rows } = await query(db, REVOKE, [owner, toText(at), reason])
    return { count: rows.reduce((sum, row) => sum + Number(row['keys']), 0), policies: rows.map(policyOf) }
  }
})
