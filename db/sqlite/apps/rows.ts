import { eq, sql } from 'drizzle-orm'
import { PERMITS } from '../../../domain/access/rules.ts'
import type { AppRows } from '../../../domain/apps/rows.ts'
import { isGrant, isOwnedBy, isTag } from '../../app-conditions.ts'
import { FIND_LOWEST_PORT, TAKE_NEXT_PORT, toNewColumns, toOwnerColumns } from '../../app-records.ts'
import { toText } from '../../timestamps.ts'
import type { SqliteDatabase } from '../database.ts'
import { apps, grants, tags } from '../schema.ts'
import { createAppReads } from './reads.ts'

export const createAppRows = (db: SqliteDatabase): AppRows => ({
  ...createAppReads(db),
  ...createRecordRows(db),
  ...createOwnerRows(db),
  ...createTagRows(db),
  ...createGrantRows(db)
})

const createRecordRows = (db: SqliteDatabase): Pick<AppRows, 'takePort' | 'insert' | 'update' | 'discard'> => {
  const takeNextPort = db.$client.prepare<[], number>(TAKE_NEXT_PORT).pluck()
  const findLowestPort = db.$client.prepare<[], number>(FIND_LOWEST_PORT).pluck()
  return {
    takePort: async () => takeNextPort.get() ?? findLowestPort.get() ?? null,

    insert: async (app, port) => {
      const { id } = db.insert(apps).values(toNewColumns(app, port)).returning({ id: apps.id }).get()
      const { createdAt } = app
      return { ...app, id, port, readableBy: null, tags: '[]', updatedAt: createdAt, discardedAt: null }
    },

    update: async (id, change, at) => {
      db.update(apps)
        .set({ ...change, updatedAt: toText(at) })
        .where(eq(apps.id, id))
        .run()
    },

    discard: async (id, at) => {
      db.update(apps)
        .set({ discardedAt: toText(at), updatedAt: toText(at) })
        .where(eq(apps.id, id))
        .run()
    }
  }
}

const createOwnerRows = (db: SqliteDatabase): Pick<AppRows, 'setOwner' | 'setOwnerOfAll' | 'removeAll'> => ({
  setOwner: async (id, owner, at) => {
    db.update(apps)
      .set({ ...toOwnerColumns(owner), updatedAt: toText(at) })
      .where(eq(apps.id, id))
      .run()
  },

  setOwnerOfAll: async (from, to, at) => {
    db.update(apps)
      .set({ ...toOwnerColumns(to), updatedAt: toText(at) })
      .where(isOwnedBy(from))
      .run()
  },

  // The tags and the grants are deleted by their foreign keys.
  removeAll: async owner => {
    db.delete(apps).where(isOwnedBy(owner)).run()
  }
})

const createTagRows = (db: SqliteDatabase): Pick<AppRows, 'insertTag' | 'removeTag' | 'copyTags'> => ({
  insertTag: async (appId, { context, name }) =>
    db
      .insert(tags)
      .values({ appId, context, name })
      .returning({ id: tags.id, context: tags.context, name: tags.name })
      .get(),

  removeTag: async (appId, tag) => db.delete(tags).where(isTag(appId, tag)).run().changes === 1,

  copyTags: async (fromAppId, toAppId) => {
    const copies = db
      .select({
        id: sql<number>`null`.as('id'),
        appId: sql<number>`${toAppId}`.as('app_id'),
        context: tags.context,
        name: tags.name
      })
      .from(tags)
      .where(eq(tags.appId, fromAppId))
      .orderBy(tags.id)
    db.insert(tags).select(copies).run()
  }
})

const createGrantRows = (db: SqliteDatabase): Pick<AppRows, 'grant' | 'revokeGrant'> => ({
  grant: async (appId, userId, permit) => {
    db.insert(grants).values({ appId, userId, permit: PERMITS[permit] }).onConflictDoNothing().run()
  },
  revokeGrant: async (appId, userId, permit) => {
    db.delete(grants)
      .where(isGrant(appId, userId, permit))
      .run()
  }
})
