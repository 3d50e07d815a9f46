import { and, eq, isNotNull, sql } from 'drizzle-orm'
import type { SQL } from 'drizzle-orm'
import { PgDialect } from 'drizzle-orm/pg-core'
import { permitsIn } from '../../../domain/access/rules.ts'
import type { AppRelationship, OrganizationRole } from '../../../domain/access/rules.ts'
import type { App } from '../../../domain/apps/app.ts'
import type { AppKey, AppReads } from '../../../domain/apps/rows.ts'
import { isKept, isOwnedBy, isTag } from '../../app-conditions.ts'
import { toRelationship } from '../../app-visibility.ts'
import { countRows, query } from '../database.ts'
import type { PostgresDatabase } from '../database.ts'
import { apps, grants, tags } from '../schema.ts'
import { appColumns, tagsJson, toApp } from './columns.ts'
import type { AppRow } from './columns.ts'

export const createAppReads = (db: PostgresDatabase): AppReads => ({
  ...createAppFinds(async (statement, key) => await query(db, statement, [key])),
  ...createOwnerReads(db),
  ...createGrantReads(db),
  ...createTagReads(db),
  isEmpty: async () => (await db.select({ id: apps.id }).from(apps).limit(1)).length === 0
})

/** Returns the SQL of a query whose values are placeholders. It's generated once instead of for each request. */
const textOf = (written: SQL): string => new PgDialect().sqlToQuery(written).sql

const findBy = (condition: SQL | undefined): string =>
  textOf(sql`select ${appColumns}, ${tagsJson} as tags from apps where ${condition}`)

const HAS_ID = eq(apps.id, sql.placeholder('key'))
const HAS_NAME = eq(apps.name, sql.placeholder('key'))
const FIND_KEPT = { id: findBy(and(isKept, HAS_ID)), name: findBy(and(isKept, HAS_NAME)) }
const FIND_ANY = { id: findBy(HAS_ID), name: findBy(HAS_NAME) }

/** Creates the app lookups from a function that runs a statement with a key and returns the rows. */
export const createAppFinds = (
  find: (statement: string, key: AppKey) => Promise<{ rows: unknown[] }>
): Pick<AppReads, 'find' | 'findWithDiscarded'> => {
  const findOne =
    (statements: { readonly id: string; readonly name: string }) =>
    async (key: AppKey): Promise<App | null> => {
      const { rows } = await find(typeof key === 'number' ? statements.id : statements.name, key)
      const [row] = rows as AppRow[]
      return row === undefined ? null : toApp(row)
    }
  return { find: findOne(FIND_KEPT), findWithDiscarded: findOne(FIND_ANY) }
}

/** Returns the query for the names of an owner's apps that aren't discarded. */
export const keptNamesOf = (db: PostgresDatabase, ...[owner, { limit }]: Parameters<AppReads['keptNames']>) =>
  db
    .select({ name: apps.name })
    .from(apps)
    .where(and(isOwnedBy(owner), isKept))
    .orderBy(apps.id)
    .limit(limit)

const HAS_DESCRIPTIVE_NAME = eq(apps.descriptiveName, sql.placeholder('descriptiveName'))

const findNamed = (isOwner: SQL): string =>
  textOf(sql`select 1 from ${apps} where ${and(isOwner, HAS_DESCRIPTIVE_NAME, isKept)}`)

const FIND_NAMED = {
  User: findNamed(eq(apps.userId, sql.placeholder('id'))),
  Organization: findNamed(eq(apps.organizationId, sql.placeholder('id')))
}

const createOwnerReads = (
  db: PostgresDatabase
): Pick<AppReads, 'isNameTaken' | 'keptNames' | 'countDiscarded' | 'shareName'> => ({
  isNameTaken: async ({ type, id }, descriptiveName) =>
    (await query(db, FIND_NAMED[type], [id, descriptiveName])).rowCount > 0,

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

const RELATIONSHIP = `
  select
    (select role from memberships where organization_id = $1 and user_id = $2) as role,
    (select coalesce(sum(permit), 0) from grants where app_id = $3 and user_id = $2) as grants
`

/** Returns the relationship between a user and an app. */
const readRelationship = async (db: PostgresDatabase, app: App, userId: number): Promise<AppRelationship> => {
  const organizationId = app.owner.type === 'Organization' ? app.owner.id : null
  const { rows } = await query(db, RELATIONSHIP, [organizationId, userId, app.id])
  const [{ role, grants }] = rows as [{ role: OrganizationRole | null; grants: string }]
  return toRelationship(app, userId, { role, grants: Number(grants) })
}

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
