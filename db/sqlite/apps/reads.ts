import { and, eq, isNotNull, sql } from 'drizzle-orm'
import type { SQL, SQLWrapper } from 'drizzle-orm'
import { permitsIn } from '../../../domain/access/rules.ts'
import type { AppRelationship, OrganizationRole } from '../../../domain/access/rules.ts'
import type { App } from '../../../domain/apps/app.ts'
import type { AppKey, AppReads } from '../../../domain/apps/rows.ts'
import { isKept, isOwnedBy, isTag } from '../../app-conditions.ts'
import { toRelationship } from '../../app-visibility.ts'
import { countRows } from '../database.ts'
import type { SqliteDatabase } from '../database.ts'
import { apps, grants, tags } from '../schema.ts'
import { createAppStatements, toApp } from './columns.ts'

export const createAppReads = (db: SqliteDatabase): AppReads => ({
  ...createAppFinds(db),
  ...createOwnerReads(db),
  ...createGrantReads(db),
  ...createTagReads(db)
})

const createAppFinds = (db: SqliteDatabase): Pick<AppReads, 'find' | 'findWithDiscarded' | 'isEmpty'> => {
  const statement = createAppStatements(db)
  const byId = eq(apps.id, sql.placeholder('key'))
  const byName = eq(apps.name, sql.placeholder('key'))
  const keptById = statement(and(isKept, byId)).rows
  const keptByName = statement(and(isKept, byName)).rows
  const anyById = statement(byId).rows
  const anyByName = statement(byName).rows

  const find = (rows: typeof keptById, key: AppKey) => {
    const row = rows.get(key)
    return row === undefined ? null : toApp(row)
  }

  return {
    find: async key => find(typeof key === 'number' ? keptById : keptByName, key),
    findWithDiscarded: async key => find(typeof key === 'number' ? anyById : anyByName, key),
    isEmpty: async () => db.select({ id: apps.id }).from(apps).limit(1).get() === undefined
  }
}

// `collate binary` compares by code point. On the right-hand side, it doesn't prevent SQLite from using the index on
// names.
const hasDescriptiveName = (descriptiveName: string): SQL =>
  sql`${apps.descriptiveName} = ${descriptiveName} collate binary`

const isNamedAs = (names: SQLWrapper): SQL => sql`${apps.descriptiveName} collate binary in ${names}`

const createOwnerReads = (
  db: SqliteDatabase
): Pick<AppReads, 'isNameTaken' | 'keptNames' | 'countDiscarded' | 'shareName'> => ({
  isNameTaken: async (owner, descriptiveName) =>
    db
      .select({ id: apps.id })
      .from(apps)
      .where(and(isOwnedBy(owner), hasDescriptiveName(descriptiveName), isKept))
      .get() !== undefined,

  keptNames: async (owner, { limit }) =>
    db
      .select({ name: apps.name })
      .from(apps)
      .where(and(isOwnedBy(owner), isKept))
      .limit(limit)
      .all()
      .map(({ name }) => name),

  countDiscarded: async owner => countRows(db, apps, and(isOwnedBy(owner), isNotNull(apps.discardedAt))),

  shareName: async (one, other) => {
    const names = db
      .select({ name: apps.descriptiveName })
      .from(apps)
      .where(and(isOwnedBy(other), isKept))
    return countRows(db, apps, and(isOwnedBy(one), isKept, isNamedAs(names))) > 0
  }
})

/** Creates a function that returns the relationship between a user and an app. */
const createRelationships = ({ $client }: SqliteDatabase): ((app: App, userId: number) => AppRelationship) => {
  const roleIn = $client
    .prepare<[organizationId: number, userId: number], OrganizationRole>(
      'select role from memberships where organization_id = ? and user_id = ?'
    )
    .pluck()
  const sumOfGrants = $client
    .prepare<[appId: number, userId: number], number>(
      'select coalesce(sum(permit), 0) from grants where app_id = ? and user_id = ?'
    )
    .pluck()
  return (app, userId) =>
    toRelationship(app, userId, {
      role: app.owner.type === 'Organization' ? (roleIn.get(app.owner.id, userId) ?? null) : null,
      grants: Number(sumOfGrants.get(app.id, userId))
    })
}

const createGrantReads = (db: SqliteDatabase): Pick<AppReads, 'relationship' | 'grantsOn' | 'permitsOf'> => {
  const relationship = createRelationships(db)
  const grantsOn = (appId: number, userId?: number) =>
    db
      .select({ userId: grants.userId, sum: sql<number>`sum(${grants.permit})` })
      .from(grants)
      .where(and(eq(grants.appId, appId), userId === undefined ? undefined : eq(grants.userId, userId)))
      .groupBy(grants.userId)
      .orderBy(grants.userId)
      .all()
      .map(({ userId, sum }) => ({ userId, permits: permitsIn(sum) }))

  return {
    relationship: async (app, userId) => relationship(app, userId),
    grantsOn: async appId => grantsOn(appId),
    permitsOf: async (appId, userId) => grantsOn(appId, userId).flatMap(({ permits }) => permits)
  }
}

const createTagReads = (db: SqliteDatabase): Pick<AppReads, 'findTag' | 'countTags'> => ({
  findTag: async (appId, tag) => {
    const found = db.select({ id: tags.id }).from(tags).where(isTag(appId, tag)).get()
    return found === undefined ? null : { ...found, ...tag }
  },
  countTags: async appId => countRows(db, tags, eq(tags.appId, appId))
})
