import { CopyError, START_OVER } from '../../copy.ts'
import type { ColumnKind, CopyRow, CopyTable, CopyValue } from '../../copy.ts'
import { COPY_PROGRESS } from '../connections.ts'
import { query } from '../database.ts'
import type { PostgresDatabase } from '../database.ts'
import { ensureDay } from '../keys/partitions.ts'

// One statement inserts all rows of a batch, with an array for each column.

interface Passing {
  readonly type: string
  readonly to: (value: CopyValue) => unknown
  readonly as: (name: string) => string
}

const asIs = (name: string): string => name

const PASSING: Readonly<Record<ColumnKind, Passing>> = {
  text: { type: 'text', to: value => value, as: asIs },
  integer: { type: 'bigint', to: value => (value === null ? null : String(value)), as: asIs },
  boolean: { type: 'boolean', to: value => value !== 0n, as: asIs },
  digest: { type: 'text', to: value => value, as: name => `decode(${name}, 'hex')` }
}

/** Returns the statement that inserts a batch into the table. */
const insertOf = ({ name, columns }: CopyTable): string => {
  const names = columns.map(({ name }) => `"${name}"`).join(', ')
  return `
    insert into ${name} (${names}) select ${columns.map(({ name, kind }) => PASSING[kind].as(`"${name}"`)).join(', ')}
    from unnest(${columns.map(({ kind }, index) => `$${index + 1}::${PASSING[kind].type}[]`).join(', ')})
      as copied (${names})`
}

const MOVE = `update ${COPY_PROGRESS} set rows = rows + $2, last = $3 where name = $1`

/** Returns a row's key, as strings. */
const keyOf = ({ columns, key }: CopyTable, row: CopyRow): string[] =>
  key.map(name => String(row[columns.findIndex(column => column.name === name)]))

const refuseZeros = (table: CopyTable, batch: readonly CopyRow[]): void => {
  for (const row of batch) {
    const index = row.findIndex(value => typeof value === 'string' && value.includes('\0'))
    if (index === -1) continue
    const place = `${table.columns[index]?.name} of the row ${JSON.stringify(keyOf(table, row))} in ${table.name}`
    throw new CopyError(
      `PostgreSQL can't store the character U+0000, which is in the column ${place}.`,
      `Change that row. ${START_OVER}`
    )
  }
}

const DAY = /^\d{4}-\d{2}-\d{2}$/

/** Returns the days in a batch of usage counts, each of which has a partition. Returns none for other tables. */
const daysOf = ({ name, columns }: CopyTable, batch: readonly CopyRow[]): string[] => {
  if (name !== 'client_key_usage') return []
  const index = columns.findIndex(column => column.name === 'day')
  const days = [...new Set(batch.map(row => String(row[index])))]
  if (!days.every(day => DAY.test(day))) throw new CopyError('A day in client_key_usage is not a date.', START_OVER)
  return days
}

/** Inserts a batch into the table, and records the progress of the copy in the same transaction. */
export const insertBatch = async (db: PostgresDatabase, table: CopyTable, batch: readonly CopyRow[]): Promise<void> => {
  refuseZeros(table, batch)
  const days = daysOf(table, batch)
  const values = table.columns.map(({ kind }, index) => batch.map(row => PASSING[kind].to(row[index] ?? null)))
  const [last] = batch.slice(-1).map(row => keyOf(table, row))
  await query(db, 'begin')
  for (const day of days) await ensureDay(db, day)
  await Promise.all([
    query(db, insertOf(table), values),
    query(db, MOVE, [table.name, batch.length, JSON.stringify(last)]),
    query(db, 'commit')
  ])
}
