import { hash } from 'node:crypto'
import { join } from 'node:path'
import { openStorage } from '../db/open.ts'
import { Database } from '../db/sqlite/driver.ts'
import type { Connection } from '../db/sqlite/driver.ts'

const OWNERS = 100
const PANELS_BYTES = 200
const AT = '2026-01-05T09:00:00.000Z'

/** An SQLite database that contains apps. */
export interface AppDatabase {
  path: string
  apps: number
  /** The name of one of its apps. */
  appName: string
}

/**
 * Creates a database with the given number of apps, each with about 200 bytes of panels and two tags. The order of
 * their names differs from the order of their ids.
 */
export const createAppDatabase = async (folder: string, apps: number): Promise<AppDatabase> => {
  const path = join(folder, `${apps}-apps.db`)
  await (await openStorage(`file:${path}`)).close()
  const db = new Database(path)
  try {
    db.pragma('synchronous = OFF')
    db.transaction(() => {
      fill(db, apps)
    })()
  } finally {
    db.close()
  }
  return { path, apps, appName: nameOf(1) }
}

const fill = (db: Connection, apps: number): void => {
  const addUser = db.prepare('insert into users (id, name, email, created_at, updated_at) values (?, ?, ?, ?, ?)')
  const addApp = db.prepare(`
    insert into apps (id, name, descriptive_name, port, panels, user_id, created_at, updated_at) values (?, ?, ?, ?,
      ?, ?, ?, ?)
  `)
  const addTag = db.prepare('insert into tags (app_id, context, name) values (?, ?, ?)')

  for (let id = 1; id <= OWNERS; id++) addUser.run(id, `User ${id}`, `user-${id}@example.com`, AT, AT)
  for (let id = 1; id <= apps; id++) {
    const name = nameOf(id)
    addApp.run(id, name, `Invoice Sync ${name}`, 3000 + id, panelsOf(id), (id % OWNERS) + 1, AT, AT)
    addTag.run(id, 'department', `department ${id % 20}`)
    addTag.run(id, 'stage', id % 2 === 0 ? 'production' : 'staging')
  }
}

const nameOf = (id: number): string => hash('sha256', String(id)).slice(0, 14)

const panelsOf = (id: number): string => {
  const panel = { layout: 'grid', columns: 2 + (id % 3), title: `Panel ${id}`, note: '' }
  return JSON.stringify({ ...panel, note: 'x'.repeat(PANELS_BYTES - JSON.stringify(panel).length) })
}
