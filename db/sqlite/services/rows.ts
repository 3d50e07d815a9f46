import { and, count, eq, gt, inArray, isNull, sql } from 'drizzle-orm'
import type { SQL } from 'drizzle-orm'
import type { ServiceReads, ServiceRows } from '../../../domain/services/rows.ts'
import { toService, toServiceRow } from '../../service-records.ts'
import type { SqliteDatabase } from '../database.ts'
import { hasAnyScope } from '../keys/conditions.ts'
import { clientKeys, services } from '../schema.ts'

// SQLite orders by code point by default, but not every engine does.
const nameOrder = sql`${services.name} collate binary`

export const createServiceReads = (db: SqliteDatabase): ServiceReads => ({
  find: async name => {
    const row = db.select().from(services).where(eq(services.name, name)).get()
    return row === undefined ? null : toService(row)
  },

  named: async names =>
    db
      .select()
      .from(services)
      .where(inArray(services.name, [...names]))
      .all()
      .map(toService),

  page: async ({ limit, after = '' }) =>
    db.select().from(services).where(gt(services.name, after)).orderBy(nameOrder).limit(limit).all().map(toService),

  count: async () => Number(db.select({ rows: count() }).from(services).get()?.rows)
})

const isAffected = (scopes: readonly string[]): SQL | undefined =>
  and(isNull(clientKeys.revokedAt), hasAnyScope(scopes))

const remaining = (scopes: readonly string[]): SQL =>
  sql`(select json_group_array(value) from json_each(${clientKeys.scopes})
    where value not in ${[...scopes]})`

export const createServiceRows = (db: SqliteDatabase): ServiceRows => ({
  ...createServiceReads(db),

  // The transaction has exclusive access to the database.
  countKeys: async scopes =>
    Number(db.select({ rows: count() }).from(clientKeys).where(isAffected(scopes)).get()?.rows),

  insert: async service => {
    db.insert(services).values(toServiceRow(service)).run()
  },

  update: async service => {
    db.update(services).set(toServiceRow(service)).where(eq(services.name, service.name)).run()
  },

  remove: async name => {
    db.delete(services).where(eq(services.name, name)).run()
  },

  takeScopes: async scopes => {
    db.update(clientKeys)
      .set({ scopes: remaining(scopes) })
      .where(isAffected(scopes))
      .run()
  }
})
