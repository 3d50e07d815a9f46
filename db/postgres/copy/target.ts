import { setTimeout } from 'node:timers/promises'
import { longestLeaseMs } from '../../../domain/keys/freshness/confirmation.ts'
import { shownUrl } from '../../../net/database-url.ts'
import { CopyError, START_OVER } from '../../copy.ts'
import type { CopySource } from '../../copy.ts'
import { toText } from '../../timestamps.ts'
import { bringUpToDate, COPY_PROGRESS } from '../connections.ts'
import { lock, query } from '../database.ts'
import type { PostgresDatabase } from '../database.ts'
import { FIND_TABLE } from '../marks.ts'
import { APPLICATION } from '../settings.ts'
import type { PostgresOptions } from '../settings.ts'
import { COPY_TABLES } from './tables.ts'

/** The progress of a table: the number of copied rows, and the key of the last one. */
export interface Progress {
  readonly rows: number
  readonly last: readonly string[] | null
}

// The other tables that must be empty in the target, apart from initial rows. Merely starting the service writes nodes,
// request counters and the change history (which continues after the copy), so those tables may contain rows.
const OTHERS = ['database_marks', 'app_port_counter where last <> 3000', 'audit_head where sequence <> 0']
// These rows are allowed too, because nothing is sealed with these secrets while there are no keys.
const SECRETS = 'secret_generations'

const exists = async (db: PostgresDatabase, table: string): Promise<boolean> =>
  (await query(db, FIND_TABLE, [table])).rowCount === 1

const refuseData = async (db: PostgresDatabase, { copiedTo }: CopySource, target: string): Promise<void> => {
  const filled: string[] = []
  const tables = COPY_TABLES.map(({ name }) => name).filter(name => name !== SECRETS)
  for (const rows of [...tables, ...OTHERS]) {
    const [table = ''] = rows.split(' ')
    if ((await exists(db, table)) && (await query(db, `select from ${rows} limit 1`)).rowCount > 0) filled.push(table)
  }
  if (filled.length === 0) return
  throw new CopyError(
    `The target already has data in ${filled.join(', ')}. Nothing was changed.`,
    copiedTo === target
      ? 'The source is marked as copied to this target, so the copy is complete. To make another copy, specify an ' +
          'empty database.'
      : 'Specify an empty database.'
  )
}

const OTHERS_CONNECTED = `
  select from pg_stat_activity
  where datname = current_database() and application_name = '${APPLICATION}' and pid <> pg_backend_pid()`

const refuseService = async (db: PostgresDatabase): Promise<void> => {
  if ((await query(db, OTHERS_CONNECTED)).rowCount === 0) return
  throw new CopyError('A service or a command is connected to the target.', 'Stop it, and run this command again.')
}

const readProgress = async (db: PostgresDatabase): Promise<Map<string, { rows: number; last: string | null }>> => {
  const { rows } = await query(db, `select name, rows, last from ${COPY_PROGRESS}`)
  return new Map(
    rows.map(({ name, rows: copied, last }) => [
      String(name),
      { rows: Number(copied), last: last === null ? null : String(last) }
    ])
  )
}

// The name of the row that stores the source's fingerprint, which shows whether the source has changed.
const SOURCE = ''

// The head is copied at the end, because updating it for each entry would take most of the time.
const headFollows = (does: 'enable' | 'disable'): string => `alter table audits ${does} trigger audit_head_follows`

// A node that was started before the copy may reconnect. This constraint prevents it from registering during the copy,
// so that no node has an older lease or cache when the copy ends.
const CLOSED = 'no_node_during_a_copy'

const shutNodesOut = async (db: PostgresDatabase): Promise<void> => {
  await query(db, 'lock table nodes in access exclusive mode')
  await query(db, 'update nodes set evicted_at = $1 where evicted_at is null', [toText(new Date())])
  await query(db, `alter table nodes add constraint ${CLOSED} check (evicted_at is not null)`)
}

/** Waits until the leases of the nodes that the copy evicted have expired. */
export const awaitLeases = async (db: PostgresDatabase): Promise<void> => {
  const { rows } = await query(db, 'select max(lease_ms) as lease_ms from nodes')
  const leaseMs = Number(rows[0]?.['lease_ms'])
  if (leaseMs > 0) await setTimeout(longestLeaseMs(leaseMs))
}

/** Opens the target to services. Must be called in a transaction. */
export const endCopy = async (db: PostgresDatabase): Promise<void> => {
  await query(db, headFollows('enable'))
  await query(db, 'delete from nodes')
  await query(db, `alter table nodes drop constraint ${CLOSED}`)
  await query(db, `drop table ${COPY_PROGRESS}`)
}

const beginCopy = async (db: PostgresDatabase, source: CopySource, target: string): Promise<void> => {
  await query(db, 'begin')
  await lock(db, 'migrations')
  await refuseData(db, source, target)
  await shutNodesOut(db)
  await query(db, `delete from ${SECRETS}`)
  await query(db, headFollows('disable'))
  await query(db, `create table ${COPY_PROGRESS} (name text primary key, rows bigint not null default 0, last text)`)
  await query(
    db,
    `insert into ${COPY_PROGRESS} (name, last) select name, last from unnest($1::text[], $2::text[]) as t (name, last)`,
    [
      [SOURCE, ...COPY_TABLES.map(({ name }) => name)],
      [source.fingerprint, ...COPY_TABLES.map(() => null)]
    ]
  )
  await query(db, 'commit')
}

/**
 * Prepares the target if nothing has been copied yet, and returns the progress of each table. Throws a CopyError if the
 * target contains other data, if a service is using it, or if the source has changed since the copy began.
 */
export const prepareTarget = async (
  db: PostgresDatabase,
  source: CopySource,
  options: PostgresOptions
): Promise<Map<string, Progress>> => {
  await refuseService(db)
  if (!(await exists(db, COPY_PROGRESS))) {
    const target = shownUrl(options.url)
    await refuseData(db, source, target)
    await bringUpToDate(options, async () => {})
    await beginCopy(db, source, target)
  }
  const progress = await readProgress(db)
  if (progress.get(SOURCE)?.last !== source.fingerprint) {
    throw new CopyError('The source has changed since this copy began, or is a different database.', START_OVER)
  }
  return new Map(
    [...progress].map(([name, { rows, last }]) => [
      name,
      { rows, last: last === null || name === SOURCE ? null : (JSON.parse(last) as string[]) }
    ])
  )
}
