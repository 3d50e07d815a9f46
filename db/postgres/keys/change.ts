import type { KeyReads, SecretState } from '../../../domain/keys/rows.ts'
import { ALL_KEYS } from '../../../domain/keys/freshness/lease-store.ts'
import type { Position } from '../../../domain/keys/freshness/lease-store.ts'
import { lock, query } from '../database.ts'
import type { PostgresDatabase } from '../database.ts'
import { CHANNEL } from '../direct.ts'
import { DATABASE_TIMESTAMP } from '../time.ts'
import type { Outbox } from '../transaction.ts'

// A change to keys reads without a lock. It sends its writes together with the commit and a check that the data that it
// has read hasn't changed. This way, it doesn't hold the lock for all changes during a round trip.

/** The part of a change to keys that all of its attempts share. */
export interface KeyChange {
  /** The nonce of the change's row in the history. It shows a later attempt whether an earlier one was committed. */
  readonly nonce: string
  /** The position of the change in the history, available once the change is committed. */
  readonly position: Promise<Position>
}

/** The data that an attempt has read. A check before the commit finds out whether any of it has changed. */
export interface ReadSet {
  /** The epoch of the last change before the first read. */
  epoch: number
  readonly keyIds: Set<string>
  /** The digests that weren't revoked. */
  readonly unrevoked: Set<string>
  secrets: string | null
}

export const createReadSet = (): ReadSet => ({ epoch: 0, keyIds: new Set(), unrevoked: new Set(), secrets: null })

/** An attempt at a change. */
export interface Attempt {
  readonly change: KeyChange
  readonly reads: ReadSet
  /** The epoch that this attempt has assigned to the change. */
  epoch: number
}

/** Creates the reads for a change, which record what they have read. */
export const createNotedReads = (
  { find, findToken, findRevocation }: KeyReads,
  { reads }: Attempt
): Pick<KeyReads, 'find' | 'findToken' | 'findRevocation'> => ({
  find: async id => {
    reads.keyIds.add(id)
    return await find(id)
  },
  findToken: async digest => {
    const token = await findToken(digest)
    if (token !== null) reads.keyIds.add(token.key.id)
    return token
  },
  findRevocation: async digest => {
    const revokedAt = await findRevocation(digest)
    if (revokedAt === null) reads.unrevoked.add(digest)
    return revokedAt
  }
})

// Includes only nodes with a lease. A node without one is never evicted, so it's unknown whether it's still running.
const SECRETS = `
  (select jsonb_build_array(
    array(select generation from secret_generations order by generation),
    array(
      select generations::jsonb from nodes
      where generations is not null and evicted_at is null and lease_ms > 0 order by started_at, id
    )
  )::text)
`

/** Reads which secrets processes have, and records them for the check before the commit. */
export const readSecrets = async (db: PostgresDatabase, { reads }: Attempt): Promise<SecretState> => {
  const { rows } = await query(db, `select ${SECRETS} as secrets`)
  reads.secrets = String(rows[0]?.['secrets'])
  const [recorded, nodes] = JSON.parse(reads.secrets) as [string[], string[][]]
  return { recorded, nodes }
}

// A null epoch violates a constraint. `isConflict` recognizes the error, so the work is retried. A statement waits for
// every table that it names, so a change that hasn't read the secrets doesn't name their tables.
const advanceIf = (condition: string): string => `
  with change as (
    insert into client_key_changes (epoch, nonce, key_id, at)
    select
      case when head.epoch >= $3
        and not exists (select from client_key_changes where epoch > $3 and key_id = any($4::text[]))
        and not exists (select from environment_key_revocations where digest = any($5::bytea[]))
        and ${condition}
      then head.epoch + 1 end,
      $1, $2, ${DATABASE_TIMESTAMP}
    from (select max(epoch) as epoch from client_key_changes) as head
    returning epoch
  )
  select epoch, pg_notify('${CHANNEL}', '') from change
`
const ADVANCE = advanceIf('true')
const ADVANCE_WITH_SECRETS = advanceIf(`$6 = ${SECRETS}`)

/** Whether a node has a version that doesn't apply changes to all keys. */
export const HAS_OUTDATED_NODES = 'exists (select from nodes where evicted_at is null and not applies_bulk_changes)'
const ADVANCE_ALL = advanceIf(`not ${HAS_OUTDATED_NODES}`)

// Takes the lock in a separate statement, so that the next one sees everything that was committed before.
const lockChanges = ({ defer }: Outbox): void => {
  defer('change', async db => {
    await lock(db, 'keyChanges')
  })
}

// Until the commit, no node can register. Acknowledgements wait too, so this follows everything that takes long.
const holdNodes = ({ defer }: Outbox): void => {
  defer('change', async db => await query(db, 'lock table nodes in share mode'))
}

/** Adds a change to the history, after checking the data that the attempt has read. */
export const advance = (attempt: Attempt, outbox: Outbox, keyId: string): void => {
  const { change, reads } = attempt
  const isForAll = keyId === ALL_KEYS
  if (isForAll) holdNodes(outbox)
  lockChanges(outbox)
  outbox.defer('change', async db => {
    const digests = Array.from(reads.unrevoked, digest => Buffer.from(digest, 'hex'))
    const values = [change.nonce, keyId, reads.epoch, [ALL_KEYS, ...reads.keyIds], digests]
    const { rows } =
      reads.secrets === null
        ? await query(db, isForAll ? ADVANCE_ALL : ADVANCE, values)
        : await query(db, ADVANCE_WITH_SECRETS, [...values, reads.secrets])
    attempt.epoch = Number(rows[0]?.['epoch'])
  })
}

const CHECK_SCOPES = `
  insert into client_key_changes (epoch, nonce, key_id, at)
  select null, $1, '${ALL_KEYS}', ''
  from client_keys
  where id = any(array(select key_id from client_key_changes where epoch > $2)) and revoked_at is null
    and scopes::jsonb ?| $3::text[]
`

/** Fails with a conflict if a key has any of the given scopes and has changed since the first read of the attempt. */
export const checkScopes = ({ change, reads }: Attempt, outbox: Outbox, scopes: readonly string[]): void => {
  lockChanges(outbox)
  outbox.defer('change', async db => await query(db, CHECK_SCOPES, [change.nonce, reads.epoch, [...scopes]]))
}

const CHECK_SECRETS = `
  insert into secret_generations (generation, recorded_at) select null, $2 where $1 <> ${SECRETS}
`

/** Fails with a conflict if the processes' secrets have changed since the attempt read them. */
export const checkSecrets = ({ reads }: Attempt, outbox: Outbox, at: string): void => {
  lockChanges(outbox)
  outbox.defer('change', async db => await query(db, CHECK_SECRETS, [reads.secrets, at]))
}
