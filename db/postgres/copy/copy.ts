import { isDeepStrictEqual } from 'node:util'
import { DatabaseError, Pool } from 'pg'
import { CopyError, START_OVER, verifyAudits } from '../../copy.ts'
import type { Copied, CopySource, CopyTable, CopyWriter, OnRows } from '../../copy.ts'
import { createAuditReads } from '../audits/rows.ts'
import { patientConfig } from '../connections.ts'
import { createDatabase, LOCK_SPACE, LOCKS, query } from '../database.ts'
import type { PostgresDatabase } from '../database.ts'
import { isConnectionFailure } from '../failures.ts'
import type { PostgresOptions } from '../settings.ts'
import { shownUrl } from '../../../net/database-url.ts'
import { insertBatch } from './batches.ts'
import { COPY_TABLES } from './tables.ts'
import { awaitLeases, endCopy, prepareTarget } from './target.ts'
import type { Progress } from './target.ts'

/** The application name of a copy. It differs from a service's, because a copy searches for services by name. */
const APPLICATION = 'trivial-api copy'

const LOCK_NOT_AVAILABLE = '55P03'

const copyInto: CopyWriter['copyInto'] = async (source, options, onProgress) => {
  const pool = new Pool({ ...patientConfig(options), application_name: APPLICATION, max: 1, pipeline: true })
  try {
    const client = await pool.connect()
    // If the connection is lost, the pending query rejects.
    client.on('error', () => {})
    try {
      return await run(createDatabase(client), source, options, onProgress)
    } finally {
      client.release(true)
    }
  } finally {
    await pool.end()
  }
}

/** Copies data into PostgreSQL databases. */
export const copyWriter: CopyWriter = { tables: COPY_TABLES, copyInto }

const run = async (
  db: PostgresDatabase,
  source: CopySource,
  options: PostgresOptions,
  onProgress: OnRows
): Promise<Copied> => {
  await beAlone(db)
  const progress = await prepareTarget(db, source, options)
  // This is safe: if the server crashes and loses rows, it also loses the record that they were copied, so they are
  // copied again. The final commit waits until all rows are on disk.
  await query(db, 'set synchronous_commit = off')
  const total = Object.values(source.rows).reduce((sum, rows) => sum + rows, 0)
  let copied = [...progress.values()].reduce((sum, { rows }) => sum + rows, 0)
  onProgress(copied, total)
  for (const table of COPY_TABLES) {
    await copyTable(db, source, table, progress.get(table.name), rows => {
      copied += rows
      onProgress(copied, total)
    })
  }
  return await complete(db, source, shownUrl(options.url))
}

/** Prevents other copies into the same database until the connection ends. */
const beAlone = async (db: PostgresDatabase): Promise<void> => {
  try {
    await query(db, `select pg_advisory_lock(${LOCK_SPACE}, ${LOCKS.copy})`)
  } catch (error) {
    if (!(error instanceof DatabaseError) || error.code !== LOCK_NOT_AVAILABLE) throw error
    throw new CopyError('Another copy into the target is running.', 'Wait until it ends, or stop it.')
  }
}

const copyTable = async (
  db: PostgresDatabase,
  source: CopySource,
  table: CopyTable,
  progress: Progress | undefined,
  onRows: (rows: number) => void
): Promise<void> => {
  for (const batch of source.batches(table, progress?.last ?? null)) {
    try {
      await insertBatch(db, table, batch)
    } catch (error) {
      if (!(error instanceof DatabaseError) || isConnectionFailure(error)) throw error
      throw new CopyError(`A row of ${table.name} can't be copied: ${error.message}.`, START_OVER)
    }
    onRows(batch.length)
  }
}

/**
 * Compares the two databases, sets the counters, marks the source and opens the target to services. The source is
 * marked just before the commit: if copying is interrupted before that point, the source is unchanged; if it's
 * interrupted later, it can be resumed. This way, services never use both databases.
 */
const complete = async (db: PostgresDatabase, source: CopySource, target: string): Promise<Copied> => {
  await query(db, 'update audit_head set sequence = $1, hash = $2', [source.head.sequence, source.head.hash])
  const rows = await countRows(db)
  const different = Object.keys(rows).filter(name => rows[name] !== source.rows[name])
  if (different.length > 0) {
    throw new CopyError(`The target and the source have different rows in ${different.join(', ')}.`, START_OVER)
  }
  const [trail, wanted] = [await verifyAudits(createAuditReads(db)), await source.verify()]
  if (!isDeepStrictEqual(trail, wanted)) {
    throw new CopyError('The audit trails of the source and the target differ.', START_OVER)
  }
  await query(db, 'analyze')
  await awaitLeases(db)
  await query(db, 'begin')
  await query(db, 'set local synchronous_commit = on')
  await query(db, 'update app_port_counter set last = $1', [String(source.lastPort)])
  for (const table of COPY_TABLES) await moveSequence(db, table, source.lastIds[table.name])
  await endCopy(db)
  source.markAsCopied(target)
  await query(db, 'commit')
  return { rows, trail }
}

const countRows = async (db: PostgresDatabase): Promise<Record<string, number>> => {
  const rows: Record<string, number> = {}
  for (const { name } of COPY_TABLES) {
    rows[name] = Number((await query(db, `select count(*) from ${name}`)).rows[0]?.['count'])
  }
  return rows
}

// Only tables with generated ids have a sequence. The audit trail is numbered from its head instead.
const moveSequence = async (
  db: PostgresDatabase,
  { name, key }: CopyTable,
  last: bigint | undefined
): Promise<void> => {
  if (last === undefined || name === 'audits') return
  await query(db, 'select setval(pg_get_serial_sequence($1, $2), $3)', [name, key[0], String(last)])
}
