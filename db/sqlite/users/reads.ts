import { and, asc, eq, gt, isNull, sql } from 'drizzle-orm'
import { permitsIn } from '../../../domain/access/rules.ts'
import type { UserReads } from '../../../domain/users/rows.ts'
import { countRows } from '../database.ts'
import type { SqliteDatabase } from '../database.ts'
import { apps, grants, users } from '../schema.ts'
import { createAccountReads, matchesUserFilter, toAccount, toUser } from '../../user-records.ts'
import { selectPermittedApps, toPermittedApp } from '../../permitted-apps.ts'
import type { PermittedAppRow } from '../../permitted-apps.ts'
import { createSessionReads } from './sessions.ts'

export const createUserReads = (db: SqliteDatabase): UserReads => ({
  ...createAccountReads(async condition => toAccount(db.select().from(users).where(condition).get())),

  page: async ({ limit, after }, filter) =>
    db
      .select()
      .from(users)
      .where(and(gt(users.id, after), matchesUserFilter(filter)))
      .orderBy(asc(users.id))
      .limit(limit)
      .all()
      .map(toUser),

  grants: async (id, { limit, after = 0, includeDiscarded }) =>
    db
      .select({ appId: grants.appId, appName: apps.name, sum: sql<number>`sum(${grants.permit})` })
      .from(grants)
      .innerJoin(apps, eq(apps.id, grants.appId))
      .where(
        and(eq(grants.userId, id), gt(grants.appId, after), includeDiscarded ? undefined : isNull(apps.discardedAt))
      )
      .groupBy(grants.appId)
      .orderBy(asc(grants.appId))
      .limit(limit)
      .all()
      .map(({ appId, appName, sum }) => ({ appId, appName, permits: permitsIn(sum) })),

  permittedApps: async (id, page) => db.all<PermittedAppRow>(selectPermittedApps(id, page)).map(toPermittedApp),

  countGrants: async id => countRows(db, grants, eq(grants.userId, id)),
  isEmpty: async () => db.select({ id: users.id }).from(users).limit(1).get() === undefined,
  ...createSessionReads(db)
})
