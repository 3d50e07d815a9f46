import { eq, sql } from 'drizzle-orm'
import { PERMITS } from '../../../domain/access/rules.ts'
import type { Tag } from '../../../domain/apps/app.ts'
import type { AppReads, AppRows } from '../../../domain/apps/rows.ts'
import { isGrant, isOwnedBy, isTag } from '../../app-conditions.ts'
import { FIND_LOWEST_PORT, TAKE_NEXT_PORT, toNewColumns, toOwnerColumns } from '../../app-records.ts'
import { toText } from '../../timestamps.ts'
import { lock, query } from '../database.ts'
import type { PostgresDatabase } from '../database.ts'
import { shareOrganization, underLock } from '../locking.ts'
import { apps, grants, tags } from '../schema.ts'
import type { Outbox } from '../transaction.ts'
import { createAppFinds, createAppReads, keptNamesOf } from './reads.ts'

export const createAppRows = (db: PostgresDatabase, outbox: Outbox): AppRows => {
  const reads = createAppReads(db)
  return {
    ...reads,
    ...createLockingReads(db, reads),
    ...createRecordRows(db, outbox),
    ...createOwnerRows(db),
    ...createTagRows(db),
    ...createGrantRows(db)
  }
}

type LockingReads = 'find' | 'findWithDiscarded' | 'relationship' | 'keptNames' | 'isEmpty'

const LOCK_ID = 'select 1 from apps where id = $1 for no key update'
const LOCK_NAME = 'select 1 from apps where name = $1 for no key update'

/** Creates reads that lock the rows they find until the transaction ends, because the rules depend on those rows. */
const createLockingReads = (db: PostgresDatabase, reads: AppReads): Pick<AppRows, LockingReads> => ({
  // Reads the app in a separate statement, which also sees tags that were added while the first one waited for the
  // lock.
  ...createAppFinds(async (statement, key) => {
    const locked = query(db, typeof key === 'number' ? LOCK_ID : LOCK_NAME, [key])
    return await underLock(locked, query(db, statement, [key]))
  }),

  relationship: async (app, userId) => {
    const read = reads.relationship
    if (app.owner.type === 'User') return await read(app, userId)
    return await underLock(shareOrganization(db, app.owner.id), read(app, userId))
  },

  keptNames: async (owner, page) => (await keptNamesOf(db, owner, page).for('no key update')).map(({ name }) => name),

  isEmpty: async () => await underLock(lock(db, 'sample'), reads.isEmpty())
})

const LOCK_PORTS = 'select 1 from app_port_counter for no key update'

/** Assigns a port. Other transactions that assign a port wait until this one ends. */
const takePort = async (db: PostgresDatabase): Promise<number | null> => {
  // Only a separate statement sees changes that other transactions committed while this one waited for the lock.
  const next = await underLock(query(db, LOCK_PORTS), query(db, TAKE_NEXT_PORT))
  const { rows } = next.rowCount === 1 ? next : await query(db, FIND_LOWEST_PORT)
  const [found] = rows as { port: string }[]
  return found === undefined ? null : Number(found.port)
}

/** The columns that can be changed, by property. */
const CHANGEABLE = { descriptiveName: 'descriptive_name', panels: 'panels', schedule: 'schedule' } as const

const createRecordRows = (
  db: PostgresDatabase,
  outbox: Outbox
): Pick<AppRows, 'takePort' | 'insert' | 'update' | 'discard'> => ({
  takePort: async () => await takePort(db),

  insert: async (app, port) => {
    const inserted = await db.insert(apps).values(toNewColumns(app, port)).returning({ id: apps.id })
    const [{ id }] = inserted as [{ id: number }]
    const { createdAt } = app
    return { ...app, id, port, readableBy: null, tags: '[]', updatedAt: createdAt, discardedAt: null }
  },

  update: async (id, change, at) => {
    const fields = Object.keys(change) as (keyof typeof change)[]
    const assignments = fields.map((field, index) => `${CHANGEABLE[field]} = $${index + 3}`)
    const statement = `update apps set ${['updated_at = $2', ...assignments].join(', ')} where id = $1`
    outbox.leaveUnanswered(query(db, statement, [id, toText(at), ...Object.values(change)]))
  },

  discard: async (id, at) => {
    const columns = { discardedAt: toText(at), updatedAt: toText(at) }
    outbox.leaveUnanswered(db.update(apps).set(columns).where(eq(apps.id, id)).execute())
  }
})

const createOwnerRows = (db: PostgresDatabase): Pick<AppRows, 'setOwner' | 'setOwnerOfAll' | 'removeAll'> => ({
  setOwner: async (id, owner, at) => {
    await db
      .update(apps)
      .set({ ...toOwnerColumns(owner), updatedAt: toText(at) })
      .where(eq(apps.id, id))
  },

  setOwnerOfAll: async (from, to, at) => {
    await db
      .update(apps)
      .set({ ...toOwnerColumns(to), updatedAt: toText(at) })
      .where(isOwnedBy(from))
  },

  // The tags and the grants are deleted by their foreign keys.
  removeAll: async owner => {
    await db.delete(apps).where(isOwnedBy(owner))
  }
})

const createTagRows = (db: PostgresDatabase): Pick<AppRows, 'insertTag' | 'removeTag' | 'copyTags'> => ({
  insertTag: async (appId, { context, name }) => {
    const inserted = await db
      .insert(tags)
      .values({ appId, context, name })
      .returning({ id: tags.id, context: tags.context, name: tags.name })
    const [tag] = inserted as [Tag]
    return tag
  },

  removeTag: async (appId, tag) => (await db.delete(tags).where(isTag(appId, tag))).rowCount === 1,

  // The new tags' ids are assigned in the order of the query.
  copyTags: async (fromAppId, toAppId) => {
    await db.execute(sql`
      insert into tags (app_id, context, name)
      select ${toAppId}, context, name from tags where app_id = ${fromAppId} order by id
    `)
  }
})

const createGrantRows = (db: PostgresDatabase): Pick<AppRows, 'grant' | 'revokeGrant'> => ({
  grant: async (appId, userId, permit) => {
    await db.insert(grants).values({ appId, userId, permit: PERMITS[permit] }).onConflictDoNothing()
  },
  revokeGrant: async (appId, userId, permit) => {
    await db.delete(grants).where(isGrant(appId, userId, permit))
  }
})
