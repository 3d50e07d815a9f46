import { hash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { drizzle } from 'drizzle-orm/better-sqlite3'
import type { AuditHead } from '../../domain/audits/rows.ts'
import { CopyError, verifyAudits } from '../copy.ts'
import type { CopyRow, CopySource, CopyTable } from '../copy.ts'
import { createAuditReads } from './audits/rows.ts'
import { schemaOf } from './connections.ts'
import { Database } from './driver.ts'
import type { Connection } from './driver.ts'
import { copyTargetOf, hasMark, markAsCopied } from './marks.ts'

// The maximum size of a batch, unless one row is larger.
const MAX_ROWS = 1000
const MAX_CHARACTERS = 1_000_000

/** Opens a database with exclusive access, to copy its tables. Throws a CopyError if it can't be copied. */
export const openCopySource = (path: string, tables: readonly CopyTable[]): CopySource => {
  if (!existsSync(path)) throw new CopyError(`There is no database ${path}, so there is nothing to copy.`)
  const connection = new Database(path, { fileMustExist: true })
  try {
    lockOut(connection, path)
    refuseOtherSchema(connection, path)
    refuseSample(connection, path)
    return sourceOf(connection, tables)
  } catch (error) {
    connection.close()
    throw error instanceof CopyError ? error : new CopyError(`${path} can't be read: ${(error as Error).message}.`)
  }
}

// In WAL mode, every process that has the database open has a lock on the file, so this fails while a service is
// running. Anything that a service wrote after the copy would be lost.
const lockOut = (connection: Connection, path: string): void => {
  connection.pragma('busy_timeout = 0')
  try {
    connection.pragma('locking_mode = exclusive')
    // For the mark at the end, which must survive a power failure.
    connection.pragma('synchronous = full')
    connection.exec('begin exclusive')
  } catch (error) {
    if ((error as { code?: string }).code !== 'SQLITE_BUSY') throw error
    throw new CopyError(`Another process has ${path} open.`, 'Stop the service, and run this command again.')
  }
  connection.pragma('query_only = on')
}

const REFUSALS = {
  none: 'was not created by this program.',
  older: 'has tables from an older version. Migrate it first: npm run db:migrate',
  newer: 'was changed by a newer version of the program. Copy it with that version.'
} as const

const refuseOtherSchema = (connection: Connection, path: string): void => {
  const schema = schemaOf(connection)
  if (schema !== 'current') throw new CopyError(`${path} ${REFUSALS[schema]}`)
}

const refuseSample = (connection: Connection, path: string): void => {
  if (!hasMark(connection, 'sample')) return
  throw new CopyError(
    `${path} is marked as sample data, which cannot be copied.`,
    'To start with PostgreSQL, set DATABASE_URL to the empty database, and start the service.'
  )
}

const sourceOf = (connection: Connection, tables: readonly CopyTable[]): CopySource => {
  const audits = createAuditReads(drizzle(connection))
  const summaries = tables.map(table => summaryOf(connection, table))
  const head = connection.prepare<[], AuditHead>('select sequence, hash from audit_head').get()
  const lastPort = connection.prepare<[], bigint>('select last from app_port_counter').pluck().safeIntegers().get()
  if (head === undefined || lastPort === undefined) throw new Error('audit_head or app_port_counter has no row')
  const lastIds = Object.fromEntries(
    connection.prepare<[], [string, bigint]>('select name, seq from sqlite_sequence').raw().safeIntegers().all()
  )
  return {
    fingerprint: hash('sha256', JSON.stringify([summaries, head, lastPort, lastIds], toJson)),
    rows: Object.fromEntries(tables.map(({ name }, index) => [name, Number(summaries[index]?.[0])])),
    head,
    lastPort,
    lastIds,
    batches: (table, after) => batchesOf(connection, table, after),
    verify: async () => await verifyAudits(audits),
    copiedTo: copyTargetOf(connection),
    markAsCopied: target => {
      connection.pragma('query_only = off')
      markAsCopied(connection, target)
      connection.exec('commit')
    },
    close: () => {
      connection.close()
    }
  }
}

const toJson = (_: string, value: unknown): unknown => (typeof value === 'bigint' ? String(value) : value)

/** Returns the number of rows in the table, and sums and maximums that usually differ if a row has changed. */
const summaryOf = (connection: Connection, { name, columns }: CopyTable): unknown[] => {
  const values = columns.flatMap(({ name }) => [`total("${name}")`, `total(length("${name}"))`, `max("${name}")`])
  return connection
    .prepare<[], unknown[]>(`select count(*), ${values.join(', ')} from ${name}`)
    .raw()
    .safeIntegers()
    .all()
    .flat()
}

const sizeOf = (row: CopyRow): number =>
  row.reduce((size, value) => size + (typeof value === 'string' ? value.length : 0), 0)

function* batchesOf(
  connection: Connection,
  { name, columns, key }: CopyTable,
  after: readonly string[] | null
): Generator<CopyRow[], void> {
  const list = (names: readonly string[]): string => names.map(name => `"${name}"`).join(', ')
  const kinds = new Map(columns.map(({ name, kind }) => [name, kind]))
  const bound = key.map(column => (kinds.get(column) === 'integer' ? 'cast(? as integer)' : '?'))
  const statement = connection
    .prepare<string[], CopyRow>(
      `select ${list(columns.map(({ name }) => name))} from ${name}
      ${after === null ? '' : `where (${list(key)}) > (${bound.join(', ')})`} order by ${list(key)}`
    )
    .raw()
    .safeIntegers()
  let [batch, size]: [CopyRow[], number] = [[], 0]
  for (const row of statement.iterate(...(after ?? []))) {
    batch.push(row)
    size += sizeOf(row)
    if (batch.length === MAX_ROWS || size >= MAX_CHARACTERS) {
      yield batch
      ;[batch, size] = [[], 0]
    }
  }
  if (batch.length > 0) yield batch
}
