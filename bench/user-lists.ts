import { Database } from '../db/sqlite/driver.ts'
import type { Storage } from '../db/storage.ts'
import { createAppDatabase } from './app-databases.ts'
import { compiled } from './compiled.ts'
import { atMost, count } from './report.ts'
import type { Row } from './report.ts'
import type { Setup } from './setup.ts'
import { median } from './rounds.ts'

const { openStorage } = await compiled('db/open.js')

const APPS = 100_000
const OWN_APPS = 50
const USER_ID = 1_000
const ROUNDS = 50
const MAX_LIST_MS = 5

// A third of the apps belong to the user, a third belong to the organization, and a third are granted to the user.
const GIVE_APPS = `
  insert into users (id, name, email, created_at, updated_at)
  select ${USER_ID}, 'One', 'one@example.com', created_at, updated_at from users limit 1;
  insert into organizations (id, name, billing_email, created_at, updated_at)
  select 1, 'One', 'one@example.com', created_at, updated_at from users limit 1;
  insert into memberships values (1, ${USER_ID}, 'member');
  update apps set user_id = ${USER_ID} where id between 1000 and 1016;
  update apps set user_id = null, organization_id = 1 where id between 2000 and 2016;
  insert into grants select id, ${USER_ID}, 1 from apps where id between 3000 and 3015;
`

/**
 * Measures how long it takes to list one user's apps among many: apps that the user or an organization owns, and apps
 * that are granted to the user.
 */
export const measureUserLists = async ({ folder, defer }: Setup): Promise<Row[]> => {
  const { path } = await createAppDatabase(folder, APPS)
  const db = new Database(path)
  db.exec(GIVE_APPS)
  db.close()
  const storage = await openStorage(`file:${path}`)
  defer(storage.close)
  const taken: number[] = []
  for (let i = 0; i < ROUNDS; i++) {
    const begun = performance.now()
    const apps = await readApps(storage)
    taken.push(performance.now() - begun)
    if (apps !== OWN_APPS) throw new Error(`the user sees ${apps} apps instead of ${OWN_APPS}`)
  }
  return [atMost(`A user's ${OWN_APPS} apps among ${count(APPS)}, in SQLite`, median(taken), MAX_LIST_MS, 'ms')]
}

/** Lists the user's apps as the service does, and returns how many there are. */
const readApps = async ({ listApps }: Pick<Storage, 'listApps'>): Promise<number> => {
  const { batches } = await listApps({ userId: USER_ID, includeDiscarded: false, tags: [] }, { limit: OWN_APPS + 1 })
  let apps = 0
  for await (const batch of batches) apps += batch.length
  return apps
}
