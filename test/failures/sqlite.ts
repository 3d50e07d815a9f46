import type { Test } from 'tap'
import { Database } from '../../db/sqlite/driver.ts'
import { createService, issuesOf, sendOne } from './operations.ts'
import type { Service } from './operations.ts'

/** Sends one request for each operation, and returns the responses that are wrong. */
const issuesOfAll = async (service: Service, after: () => Promise<void>): Promise<string[]> => {
  const issues: string[] = []
  for (const each of service.requests) {
    const received = await sendOne(service, each)
    issues.push(...issuesOf(service, each.request, received).map(issue => `${each.request.route}: ${issue}`))
    await after()
  }
  return issues
}

interface SchemaRow {
  readonly name: string
  readonly tbl_name: string
}

/** Returns the tables of a database, and functions that hide a table with its indexes and triggers, and restore it. */
const createTableHider = (t: Test, url: string) => {
  const db = new Database(url.slice('file:'.length)).unsafeMode()
  t.teardown(() => {
    db.close()
  })
  const schema = db.prepare<[], SchemaRow>("select * from sqlite_schema where tbl_name not like 'sqlite_%'").all()
  db.pragma('writable_schema = on')
  // Every connection reads the schema again when its version changes.
  const change = (work: () => void): void => {
    db.exec('begin immediate')
    work()
    db.pragma(`schema_version = ${Number(db.pragma('schema_version', { simple: true })) + 1}`)
    db.exec('commit')
  }
  const add = db.prepare('insert into sqlite_schema values (@type, @name, @tbl_name, @rootpage, @sql)')
  const remove = db.prepare('delete from sqlite_schema where tbl_name = ?')
  return {
    tables: [...new Set(schema.map(({ tbl_name: table }) => table))].filter(table => !table.startsWith('__drizzle')),
    hide: (table: string) => {
      change(() => remove.run(table))
    },
    show: (table: string) => {
      change(() => {
        for (const row of schema) if (row.tbl_name === table) add.run(row)
      })
    }
  }
}

/** Sends each request of the API while a table is missing. By default, hides each table in turn. */
export const hideTables = async (t: Test, only?: string): Promise<void> => {
  const service = await createService(t, {})
  const { tables, hide, show } = createTableHider(t, service.fixture.made.env.DATABASE_URL)
  const restore = async (): Promise<void> => {
    await service.rows.differences(null)
    await service.rows.restore()
  }
  t.ok(tables.length > 15)
  for (const table of tables.filter(each => only === undefined || each === only)) {
    hide(table)
    const issues = await issuesOfAll(service, async () => {
      show(table)
      await restore()
      hide(table)
    })
    show(table)
    t.same(issues, [], table)
  }
  t.same(await issuesOfAll(service, restore), [], 'no table is missing')
}
