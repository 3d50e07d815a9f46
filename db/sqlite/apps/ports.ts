import type { SqliteDatabase } from '../database.ts'

const LAST_PORT = 65_535

// The counter moves only to a port that is free, and stops where it can not.
const TAKE_NEXT = `
  update app_port_counter set last = last + 1
  where last < ${LAST_PORT} and not exists (select 1 from apps where port = last + 1 and discarded_at is null)
  returning last
`

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
 * Makes the function that takes a port for an app: the one after the last that was taken, and the lowest that is free
 * when those are used up; null where none is. To be called in the transaction that stores the app.
 */
export const createPorts = ({ $client }: SqliteDatabase): (() => number | null) => {
  const takeNext = $client.prepare<[], number>(TAKE_NEXT).pluck()
  const findLowest = $client.prepare<[], number>(FIND_LOWEST).pluck()
  return () => takeNext.get() ?? findLowest.get() ?? null
}
