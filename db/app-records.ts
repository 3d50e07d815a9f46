import type { NewApp, Owner } from '../domain/apps/app.ts'
import { toText } from './timestamps.ts'

/** Returns the columns that specify an app's owner. */
export const toOwnerColumns = ({ type, id }: Owner) => ({
  userId: type === 'User' ? id : null,
  organizationId: type === 'Organization' ? id : null
})

/** Returns the columns of a new app. */
export const toNewColumns = ({ owner, createdAt, name, descriptiveName, panels, schedule }: NewApp, port: number) => ({
  name,
  descriptiveName,
  port,
  panels,
  schedule,
  ...toOwnerColumns(owner),
  createdAt: toText(createdAt),
  updatedAt: toText(createdAt)
})

const LAST_PORT = 65_535

/** Assigns the port after the last one that was assigned. The counter advances only if that port is free. */
export const TAKE_NEXT_PORT = `
  update app_port_counter set last = last + 1
  where last < ${LAST_PORT} and not exists (select 1 from apps where port = last + 1 and discarded_at is null)
  returning last as port
`

/** Finds the lowest free port. */
export const FIND_LOWEST_PORT = `
  select port from (
    select 3001 as port union all select port + 1 from apps where discarded_at is null order by port
  ) as candidate
  where port <= ${LAST_PORT} and not exists (
    select 1 from apps where apps.port = candidate.port and discarded_at is null
  )
  limit 1
`
