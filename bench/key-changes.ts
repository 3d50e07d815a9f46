import { join } from 'node:path'
import { Database } from '../db/sqlite/driver.ts'
import type { KeyService } from '../domain/keys/service.ts'
import type { Credentials } from './credentials.ts'
import type { KeyDatabase } from './key-databases.ts'
import type { Plan } from './plan.ts'
import { operator, issueKey, withRegistry } from './registry.ts'
import { count, inUnit } from './report.ts'
import type { Row } from './report.ts'
import { takeInRounds } from './rounds.ts'
import { median } from './statistics.ts'

/** How many keys can be issued and revoked one after another, each safe on the disk before the next. */
export const measureKeyChanges = async (
  { changeRounds, changesARound }: Plan,
  folder: string,
  database: KeyDatabase,
  { clientSecret }: Credentials
): Promise<Row[]> =>
  await withRegistry(database.path, clientSecret, async keys => {
    const { issue, revoke } = await changesOf(keys, changesARound)
    const floor = openFloor(join(folder, 'floor.db'))
    try {
      const taken = await takeInRounds(changeRounds, {
        issue,
        revoke,
        floor: perSecond(floor.write, changesARound)
      })
      return [
        rowOf(`Issue managed keys, ${count(database.keys)} keys`, taken.issue),
        rowOf('Revoke them', taken.revoke),
        rowOf('– one row by `better-sqlite3`, to compare', taken.floor)
      ]
    } finally {
      floor.close()
    }
  })

const perSecond = (work: () => Promise<void>, times: number) => async (): Promise<number> => {
  const start = performance.now()
  for (let i = 0; i < times; i++) await work()
  return (times / (performance.now() - start)) * 1000
}

/** The measures of how many keys are issued in a second, and how many revoked, one after another. */
export const changesOf = async (keys: KeyService, times: number) => {
  const ids: string[] = []
  const issue = async (): Promise<void> => {
    ids.push((await issueKey(keys)).key.id)
  }
  const revoke = async (): Promise<void> => {
    await keys.revoke(ids.shift() ?? '', 'the bench is over', operator)
  }
  // Every other round revokes before it issues.
  for (let i = 0; i < times; i++) await issue()
  return { issue: perSecond(issue, times), revoke: perSecond(revoke, times) }
}

export const rowOf = (what: string, rates: readonly number[]): Row => ({
  what,
  result: inUnit(median(rates), 'a second', 0)
})

/** The least that a change could be: a transaction of one row that waits for the disk. */
const openFloor = (path: string): { write: () => Promise<void>; close: () => void } => {
  const db = new Database(path)
  db.pragma('journal_mode = WAL')
  db.pragma('synchronous = FULL')
  db.exec('create table changes (id integer primary key, text text)')
  const insert = db.prepare("insert into changes (text) values ('a change')")
  return {
    write: async () => {
      insert.run()
    },
    close: () => {
      db.close()
    }
  }
}
