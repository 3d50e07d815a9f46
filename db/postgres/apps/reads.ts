import { and, eq, isNotNull, sql } from 'drizzle-orm'
import type { SQL } from 'drizzle-orm'
import { permitsIn } from '../../../domain/access/rules.ts'
import type { App } from '../../../domain/apps/app.ts'
import type { AppKey, AppReads } from '../../../domain/apps/rows.ts'
import { countRows, rowsOf } from '../database.ts'
import type { PostgresDatabase } from '../database.ts'
import { apps, grants, tags } from '../schema.ts'
import { appColumns, isKept, isOwnedBy, tagsJson, toApp } from './columns.ts'
import type { AppRow } from './columns.ts'
import { isTag } from './conditions.ts'
import { createAppLists } from './lists.ts'
import { readRelationship } from './visibility.ts'

export const createAppReads = (db: PostgresDatabase): AppReads => ({
  ...createAppFinds(async condition => await findApp(db, condition)),
  ...createOwnerReads(db),
  ...createGrantReads(db),
  ...createTagReads(db),
  ...createAppLists(db),
  isEmpty: async () => (await db.select({ id: apps.id }).from(apps).limit(1)).length === 0
})

/** Makes the finds of apps from one that takes a condition. */
export const createAppFinds = (
  find: (condition: SQL | undefined, key: AppKey) => Promise<App | null>
): Pick<AppReads, 'find' | 'findWithDiscarded'> => {
  const has = (key: AppKey): SQL => (typeof key === 'number' ? eq(apps.id, key) : eq(apps.name, key))
  return {
    find: async key => await find(and(isKept, has(key)), key),
    findWithDiscarded: async key => await find(has(key), key)
  }
}

export const findApp = async (db: PostgresDatabase, condition: SQL | undefined): Promise<App | null> => {
  const [row] = await rowsOf<AppRow>(db, sql`select ${appColumns}, ${tagsJson} as tags from apps where ${condition}`)
  return row === undefined ? null : toApp(row)
}

/** The query of the names of an owner's apps that are not discarded. */
export const keptNamesOf = (db: PostgresDatabase, ...[owner, { limit }]: Parameters<AppReads['keptNames']>) =>
  db
    .select({ name: apps.name })
    .from(apps)
    .where(and(isOwnedBy(owner), isKept))
    .orderBy(apps.id)
    .limit(limit)

const createOwnerReads = (
  db: PostgresDatabase
): Pick<AppReads, 'isNameTaken' | 'keptNames' | 'countDiscarded' | 'shareName'> => ({
  isNameTaken: async (owner, descriptiveName) => {
    const found = await db
      .select({ id: apps.id })
      .from(apps)
      .where(and(isOwnedBy(owner), eq(apps.descriptiveName, descriptiveName), isKept))
    return found.length > 0
  },

  keptNames: async (owner, page) => (await keptNamesOf(db, owner, page)).map(({ name }) => name),

  countDiscarded: async owner => await countRows(db, apps, and(isOwnedBy(owner), isNotNull(apps.discardedAt))),

  shareName: async (one, other) => {
    const names = db
      .select({ name: apps.descriptiveName })
      .from(apps)
      .where(and(isOwnedBy(other), isKept))
    return (await countRows(db, apps, and(isOwnedBy(one), isKept, sql`${apps.descriptiveName} in ${names}`))) > 0
  }
})

const createGrantReads = (db: PostgresDatabase): Pick<AppReads, 'relationship' | 'grantsOn' | 'permitsOf'> => {
  const grantsOn = async (appId: number, userId?: number) => {
    const found = await db
      .select({ userId: grants.userId, sum: sql<number>`sum(${grants.permit})`.mapWith(Number) })
      .from(grants)
      .where(and(eq(grants.appId, appId), userId === undefined ? undefined : eq(grants.userId, userId)))
      .groupBy(grants.userId)
      .orderBy(grants.userId)
    return found.map(({ userId, sum }) => ({ userId, permits: permitsIn(sum) }))
  }

  return {
    relationship: async (app, userId) => await readRelationship(db, app, userId),
    grantsOn: async appId => await grantsOn(appId),
    permitsOf: async (appId, userId) => (await grantsOn(appId, userId)).flatMap(({ permits }) => permits)
  }
}

const createTagReads = (db: PostgresDatabase): Pick<AppReads, 'findTag' | 'countTags'> => ({
  findTag: async (appId, tag) => {
    const [found] = await db.select({ id: tags.id }).from(tags).where(isTag(appId, tag))
    return found === undefined ? null : { ...found, ...tag }
  },
  countTags: async appId => await countRows(db, tags, eq(tags.appId, appId))
})
