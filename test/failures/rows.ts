import type { Test } from 'tap'
import { createService, issuesOf, sendOne } from './operations.ts'

/** Empties each table that must always contain a row, while requests are being sent. */
export const emptyTables = async (t: Test, env: Record<string, string>, tables: readonly string[]): Promise<void> => {
  const service = await createService(t, env)
  const { execute } = service.fixture.db
  for (const table of tables) {
    const issues: string[] = []
    await execute(`create table kept as select * from ${table}; delete from ${table}`)
    for (const each of service.requests) {
      const received = await sendOne(service, each)
      issues.push(...issuesOf(service, each.request, received).map(issue => `${each.request.route}: ${issue}`))
      await execute(`delete from ${table}; insert into ${table} select * from kept`)
      await service.rows.differences(null)
      await service.rows.restore()
      await execute(`delete from ${table}`)
    }
    await execute(`insert into ${table} select * from kept; drop table kept`)
    t.same(issues, [], table)
  }
}
