import { count, eq, gt, inArray } from 'drizzle-orm'
import type { ServiceReads, ServiceRows } from '../../../domain/services/rows.ts'
import { toService, toServiceRow } from '../../service-records.ts'
import { query, send } from '../database.ts'
import type { PostgresDatabase } from '../database.ts'
import { checkScopes } from '../keys/change.ts'
import type { Attempt } from '../keys/change.ts'
import { awaitTable } from '../locking.ts'
import { services } from '../schema.ts'
import type { Outbox } from '../transaction.ts'

export const createServiceReads = (db: PostgresDatabase): ServiceReads => ({
  find: async name => {
    const [row] = await db.select().from(services).where(eq(services.name, name))
    return row === undefined ? null : toService(row)
  },

  named: async names => {
    const rows = await db
      .select()
      .from(services)
      .where(inArray(services.name, [...names]))
    return rows.map(toService)
  },

  page: async ({ limit, after = '' }) => {
    const rows = await db.select().from(services).where(gt(services.name, after)).orderBy(services.name).limit(limit)
    return rows.map(toService)
  },

  count: async () => Number((await db.select({ rows: count() }).from(services))[0]?.rows)
})

const AFFECTED = 'revoked_at is null and scopes::jsonb ?| $1::text[]'

const COUNT_KEYS = `select count(*) as keys from client_keys where ${AFFECTED}`

// Locks keys in the same order as the recording of usage does, which prevents deadlocks.
const LOCK_KEYS = `select from client_keys where ${AFFECTED} order by row for no key update`

const TAKE_SCOPES = `
  update client_keys set scopes = to_json(array(
    select scope from json_array_elements_text(scopes::json) with ordinality as given (scope, position)
    where scope <> all($1::text[]) order by position
  ))::text
  where ${AFFECTED}
`

/** Creates the rows for an attempt to change services. Its writes are sent together with its commit. */
export const createServiceRows = (db: PostgresDatabase, attempt: Attempt, outbox: Outbox): ServiceRows => {
  const write = (statement: (db: PostgresDatabase) => Parameters<typeof send>[1]): void => {
    awaitTable(outbox, 'services')
    outbox.defer('write', async db => await send(db, statement(db)))
  }
  return {
    ...createServiceReads(db),

    countKeys: async scopes => {
      checkScopes(attempt, outbox, scopes)
      return Number((await query(db, COUNT_KEYS, [[...scopes]])).rows[0]?.['keys'])
    },

    insert: async service => {
      write(db => db.insert(services).values(toServiceRow(service)))
    },

    update: async service => {
      write(db => db.update(services).set(toServiceRow(service)).where(eq(services.name, service.name)))
    },

    remove: async name => {
      write(db => db.delete(services).where(eq(services.name, name)))
    },

    takeScopes: async scopes => {
      outbox.defer('bulk', async db => await query(db, LOCK_KEYS, [[...scopes]]))
      outbox.defer('bulk', async db => await query(db, TAKE_SCOPES, [[...scopes]]))
    }
  }
}
