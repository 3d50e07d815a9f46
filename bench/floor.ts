import { Database } from '../db/sqlite/driver.ts'
import { answerParent } from './child.ts'

// A process of its own: the least that could be done to write the same apps as JSON.

// The columns and the order of db/sqlite/apps/columns.ts.
const SELECT_APPS = `
  select id, name, descriptive_name, port, panels, readable_by, schedule, user_id, organization_id, (
    select json_group_array(json_object('id', tag.id, 'context', tag.context, 'name', tag.name) order by tag.id)
    from tags as tag where tag.app_id = apps.id
  ) as tags, created_at, updated_at, discarded_at
  from apps where discarded_at is null order by descriptive_name, id
`

export interface FloorMeasure {
  milliseconds: number
  /** µs of the processor. */
  cpu: number
}

const answers = {
  /** Reads every app of a database at once and writes them as JSON, `times` times. */
  write: ({ database, apps, times }: { database: string; apps: number; times: number }): FloorMeasure => {
    const db = new Database(database, { readonly: true })
    try {
      const select = db.prepare(SELECT_APPS)
      const cpu = process.cpuUsage()
      const start = performance.now()
      for (let i = 0; i < times; i++) {
        const rows = select.all()
        const text = JSON.stringify(rows)
        if (rows.length !== apps || text.length < apps) throw new Error('the floor has not read every app')
      }
      const milliseconds = performance.now() - start
      const { user, system } = process.cpuUsage(cpu)
      return { milliseconds, cpu: user + system }
    } finally {
      db.close()
    }
  }
}

export type FloorAnswers = typeof answers

answerParent(answers)
