import { and, asc, eq, gt, isNull, sql } from 'drizzle-orm'
import { permitsIn } from '../../../domain/access/rules.ts'
import type { UserReads } from '../../../domain/users/rows.ts'
import { countRows, rowsOf } from '../database.ts'
import type { PostgresDatabase } from '../database.ts'
import { apps, grants, users } from '../schema.ts'
import { createAccountReads, matchesUserFilter, toAccount, toUser } from '../../user-records.ts'
import { selectPermittedApps, toPermittedApp } from '../../permitted-apps.ts'
import type { PermittedAppRow } from '../../permitted-apps.ts'
import { createSessionReads } from './sessions.ts'

export const createUserReads = (db: PostgresDatabase): UserReads => ({
  ...createAccountReads(async condition => toAccount((await db.select().from(users).where(condition))[0])),

  page: async ({ limit, after }, filter) => {
    const condition = and(gt(users.id, after), matchesUserFilter(filter))
    return (await db.select().from(users).where(condition).orderBy(asc(users.id)).limit(limit)).map(toUser)
  },

  grants: async (id, { limit, after = 0, includeDiscarded }) => {
    const sum = sql<number>`sum(${grants.permit})`.mapWith(Number)
    const found = await db
      .select({ appId: grants.appId, appName: apps.name, sum })
      .from(grants)
      .innerJoin(apps, eq(apps.id, grants.appId))
      .where(
        and(eq(grants.userId, id), gt(grants.appId, after), includeDiscarded ? undefined : isNull(apps.discardedAt))
      )
      .groupBy(grants.appId, apps.name)
      .orderBy(asc(grants.appId))
      .limit(limit)
    return found.map(({ appId, appName, sum }) => ({ appId, appName, permits: permitsIn(sum) }))
  },

  permittedApps: async (id, page) =>
    (await rowsOf<PermittedAppRow>(db, selectPermittedApps(id, page))).map(toPermittedApp),

  countGrants: async id => await countRows(db, grants, eq(grants.userId, id)),
  isEmpty: async () => (await db.select({ id: users.id }).from(users).limit(1)).length === 0,
  ...createSessionReads(db)
})
