import { query } from '../database.ts'
import type { PostgresDatabase } from '../database.ts'
import { underLock } from '../locking.ts'

const LAST_PORT = 65_535

// The counter moves only to a port that is free, and stops where it can not.
const TAKE_NEXT = `
  update app_port_counter set last = last + 1
  where last < ${LAST_PORT} and not exists (select 1 from apps where port = last + 1 and discarded_at is null)
  returning last as port
`

const LOCK = 'select 1 from app_port_counter for no key update'

const FIND_LOWEST = `
  select port from (
    select 3001 as port union all select port + 1 from apps where discarded_at is null order by port
  ) as candidate
  where port <= ${LAST_PORT} and not exists (
    select 1 from apps where apps.port = candidate.port and discarded_at is null
  )
  limit 1
`

/**
 * Takes a port for an app: the one after the last that was taken, and the lowest that is free when those are used up;
 * null where none is. To be called in the transaction that stores the app: until its end, others wait for theirs.
 */
export const takePort = async (db: PostgresDatabase): Promise<number | null> => {
  // What others have stored is seen by the statement after the one that has waited for them.
  const next = await underLock(query(db, LOCK), query(db, TAKE_NEXT))
  const { rows } = next.rowCount === 1 ? next : await query(db, FIND_LOWEST)
  const [found] = rows as { port: string }[]
  return found === undefined ? null : Number(found.port)
}
