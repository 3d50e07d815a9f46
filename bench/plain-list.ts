import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { once } from 'node:events'
import { Database } from '../db/sqlite/driver.ts'
import { serveParent, processorTime } from './child.ts'

// A minimal server in a separate process. It does only what is necessary to send the same apps as JSON.

// Selects the same columns in the same order as db/sqlite/apps/columns.ts.
const SELECT_APPS = `
  select id, name, descriptive_name, port, panels, readable_by, schedule, user_id, organization_id, (
    select json_group_array(json_object('id', tag.id, 'context', tag.context, 'name', tag.name) order by tag.id)
    from tags as tag where tag.app_id = apps.id
  ) as tags, created_at, updated_at, discarded_at
  from apps where discarded_at is null order by descriptive_name, id
`

const functions = {
  /** Serves all apps in the given SQLite database on a free port of the loopback address, and returns the origin. */
  listen: async ({ path }: { path: string }): Promise<string> => {
    const select = new Database(path, { readonly: true }).prepare(SELECT_APPS)
    const server = createServer((_request, response) => {
      response.setHeader('content-type', 'application/json; charset=utf-8')
      response.end(JSON.stringify(select.all()))
    })
    await once(server.listen(0, '127.0.0.1'), 'listening')
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  },

  processorTime
}

export type PlainListFunctions = typeof functions

serveParent(functions)
