import { Database } from '../../../../db/sqlite/driver.ts'
import type { Test } from 'tap'
import { connectDirectly } from '../../../contract/engines.ts'

type Row = Readonly<Record<string, unknown>>

interface Table {
  readonly name: string
  readonly key: readonly string[]
  /** The column that contains the user to whom a row belongs. */
  readonly user?: string
}

/** The tables whose rows are compared. */
const TABLES: readonly Table[] = [
  { name: 'users', key: ['id'], user: 'id' },
  { name: 'sessions', key: ['digest'], user: 'user_id' },
  { name: 'user_places', key: ['user_id', 'place'], user: 'user_id' },
  { name: 'organizations', key: ['id'] },
  { name: 'memberships', key: ['organization_id', 'user_id'], user: 'user_id' },
  { name: 'apps', key: ['id'] },
  { name: 'grants', key: ['app_id', 'user_id', 'permit'], user: 'user_id' },
  { name: 'tags', key: ['id'] },
  { name: 'services', key: ['name'] },
  { name: 'client_keys', key: ['id'] },
  { name: 'client_key_tokens', key: ['digest'] },
  { name: 'client_key_attempts', key: ['caller', 'key_hash'] },
  { name: 'environment_key_revocations', key: ['digest'] }
]

/** Columns that any request may change. */
const INCIDENTAL = /^(updated_at|last_|use_count)/

/** A database connection in addition to those of the service. */
export interface Db {
  /** Executes statements and returns the rows. */
  readonly execute: (text: string) => Promise<readonly Row[]>
  /** A statement that disables foreign keys, so that deleting a row doesn't delete any other rows. */
  readonly withoutForeignKeys: string
}

/** Connects to a database. */
export const connect = async (t: Test, url: string): Promise<Db> => {
  if (url.startsWith('postgres:')) {
    const client = await connectDirectly(t, url)
    return {
      withoutForeignKeys: 'set session_replication_role = replica',
      execute: async text =>
        [(await client.query(text)) as unknown].flat().flatMap(result => (result as { rows: Row[] }).rows)
    }
  }
  const db = new Database(url.slice('file:'.length))
  t.teardown(() => {
    db.close()
  })
  return {
    withoutForeignKeys: 'pragma foreign_keys = off; pragma synchronous = off',
    execute: async text => {
      if (!text.startsWith('select')) {
        db.exec(text)
        return []
      }
      return db.prepare<[], Row>(text).all()
    }
  }
}

type Rows = ReadonlyMap<string, Row>

/** Compares the database's rows with those at the beginning. */
export interface RowComparison {
  /**
   * Returns `apps.panels` for a changed column, `apps -` for a deleted row, and `apps +` for a new row, each prefixed
   * with `own` if the row belongs to this user.
   */
  readonly differences: (userId: number | null) => Promise<string[]>
  /** Reverts the differences that were returned last. */
  readonly restore: () => Promise<void>
}

export const compareRows = async ({ execute, withoutForeignKeys }: Db): Promise<RowComparison> => {
  await execute(withoutForeignKeys)
  const read = async ({ name, key }: Table): Promise<Rows> =>
    new Map((await execute(`select * from ${name}`)).map(row => [key.map(column => String(row[column])).join(), row]))
  const first = new Map<Table, Rows>()
  const comparisons: string[] = []
  for (const table of TABLES) {
    const { name } = table
    await execute(`create temp table first_${name} as select * from ${name}`)
    first.set(table, await read(table))
    comparisons.push(comparisonOf(table, await columnsOf(execute, table)))
  }
  const compare = comparisons.join(' union all ')
  let changed: Table[] = []

  return {
    differences: async userId => {
      const names = (await execute(compare)).map(({ name }) => name)
      changed = TABLES.filter(({ name }) => names.includes(name))
      const labels = new Set<string>()
      for (const table of changed) {
        for (const label of differencesIn(table, first.get(table) ?? new Map(), await read(table), userId)) {
          labels.add(label)
        }
      }
      return [...labels].sort()
    },

    restore: async () => {
      const statements = changed.map(
        ({ name }) => `delete from ${name}; insert into ${name} select * from first_${name}`
      )
      if (statements.length > 0) await execute(`begin; ${statements.join('; ')}; commit`)
      changed = []
    }
  }
}

/** Returns the columns of a table that must be compared. */
const columnsOf = async (execute: Db['execute'], { name }: Table): Promise<string[]> => {
  // An empty table returns one row that contains nulls.
  const [row = {}] = await execute(
    `select first_${name}.* from (select 1 as one) as one left join first_${name} on true`
  )
  return Object.keys(row).filter(column => !INCIDENTAL.test(column))
}

/** Returns a query for a table's name if its rows differ from those at the beginning. */
const comparisonOf = ({ name }: Table, columns: readonly string[]): string => {
  const rows = (table: string): string => `select ${columns.map(column => `"${column}"`).join()} from ${table}`
  return `select '${name}' as name
    where exists (${rows(name)} except ${rows(`first_${name}`)})
    or exists (${rows(`first_${name}`)} except ${rows(name)})`
}

const differencesIn = ({ name, user }: Table, before: Rows, after: Rows, userId: number | null): string[] => {
  const label = (row: Row, what: string): string =>
    `${user !== undefined && userId !== null && Number(row[user]) === userId ? 'own ' : ''}${name}${what}`
  const gone = [...before].flatMap(([key, row]) => (after.has(key) ? [] : [label(row, ' -')]))
  const others = [...after].flatMap(([key, row]) => {
    const known = before.get(key)
    if (known === undefined) return [label(row, ' +')]
    return Object.keys(row)
      .filter(column => !INCIDENTAL.test(column) && String(row[column]) !== String(known[column]))
      .map(column => label(row, `.${column}`))
  })
  return [...gone, ...others]
}
