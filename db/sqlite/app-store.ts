import { setImmediate } from 'node:timers/promises'
import { and, eq, isNull, lte, max, sql } from 'drizzle-orm'
import type { SQL } from 'drizzle-orm'
import type { SQLiteColumn } from 'drizzle-orm/sqlite-core'
import type { Asker } from '../../domain/access/principal.ts'
import { mayDo, PERMITS, permitsIn } from '../../domain/access/rules.ts'
import type { AppAction, Permit } from '../../domain/access/rules.ts'
import type { App, AppChange, NewApp, Owner, TagKey } from '../../domain/apps/app.ts'
import type { AppFilter, AppKey, AppStore, ListPosition, ListRange } from '../../domain/apps/store.ts'
import { creation, differences } from '../../domain/audits/audit.ts'
import type { Changes } from '../../domain/audits/audit.ts'
import type { AppendAudit } from './audit-store.ts'
import { attempt, createChange } from './failures.ts'
import { countRows } from './database.ts'
import type { SqliteDatabase } from './database.ts'
import { DescriptiveNameTaken, Forbidden, NoPortLeft, TooManyTags, UserNotFound } from '../../domain/errors.ts'
import { createOwnerCheck, isOwnedBy, ownerChanges, ownerColumns } from './ownership.ts'
import { apps, grants, tags, users } from './schema.ts'
import { createStandings, isVisible, visibleAppIds } from './visibility.ts'

/** How many apps are looked at, and how many bytes of them are read, before other work gets its turn. */
const WINDOW_APPS = 250
const BATCH_BYTES = 256 * 1024
/** So many apps a user may have in sight to be looked up by their ids; with more, all apps are looked at. */
const FEW_APPS = 2000
/** An app bears so many tags at most: they come with it in every list. */
const MOST_TAGS = 1000

// Written out, since Drizzle leaves the table's name off the columns of a selection and `id` would then mean the tag's.
const tagsJson = sql<string>`(
  select json_group_array(json_object('id', tag.id, 'context', tag.context, 'name', tag.name) order by tag.id)
  from tags as tag where tag.app_id = apps.id
)`

const columns = {
  id: apps.id,
  name: apps.name,
  descriptiveName: apps.descriptiveName,
  port: apps.port,
  panels: apps.panels,
  readableBy: apps.readableBy,
  schedule: apps.schedule,
  ownerType: sql<Owner['type']>`case when user_id is null then 'Organization' else 'User' end`,
  ownerId: sql<number>`coalesce(user_id, organization_id)`,
  tags: tagsJson,
  createdAt: apps.createdAt,
  updatedAt: apps.updatedAt,
  discardedAt: apps.discardedAt
}

type Row = [
  id: number,
  name: string,
  descriptiveName: string,
  port: number,
  panels: string | null,
  readableBy: string | null,
  schedule: string | null,
  ownerType: Owner['type'],
  ownerId: number,
  tags: string,
  createdAt: string,
  updatedAt: string,
  discardedAt: string | null
]

const toApp = ([
  id,
  name,
  descriptiveName,
  port,
  panels,
  readableBy,
  schedule,
  ownerType,
  ownerId,
  tags,
  createdAt,
  updatedAt,
  discardedAt
]: Row): App => ({
  id,
  name,
  descriptiveName,
  port,
  panels,
  readableBy,
  schedule,
  owner: { type: ownerType, id: ownerId },
  tags,
  createdAt,
  updatedAt,
  discardedAt
})

const kept = isNull(apps.discardedAt)
const order = [apps.descriptiveName, apps.id] as const
const comesAfter = ({ descriptiveName, id }: ListPosition): SQL =>
  sql`(${apps.descriptiveName}, ${apps.id}) > (${descriptiveName}, ${id})`
const comesUntil = ({ descriptiveName, id }: ListPosition): SQL =>
  sql`(${apps.descriptiveName}, ${apps.id}) <= (${descriptiveName}, ${id})`

const inRange = ({ after, until, newest }: ListRange): SQL | undefined =>
  and(after && comesAfter(after), until && comesUntil(until), newest === undefined ? undefined : lte(apps.id, newest))

const matches = (filter: AppFilter): SQL | undefined =>
  and(
    filter.includeDiscarded ? undefined : kept,
    filter.userId === null ? undefined : isVisible(filter.userId),
    ...filter.tags.map(
      ({ context, name }) => sql`exists (
    select 1 from ${tags} where ${tags.appId} = ${apps.id} and ${tags.context} = ${context} and ${tags.name} = ${name}
  )`
    )
  )

const isAmong = (ids: readonly number[]): SQL =>
  sql`${apps.id} in (select value from json_each(${JSON.stringify(ids)}))`

const sizeOf = ({ panels, schedule, tags: labels }: App): number =>
  (panels?.length ?? 0) + (schedule?.length ?? 0) + labels.length

const isTag = (app: App, { context, name }: TagKey): SQL | undefined =>
  and(eq(tags.appId, app.id), eq(tags.context, context), eq(tags.name, name))

const FIRST_PORT = 3001
const LAST_PORT = 65_535

/**
 * The port of the next app: one more than the highest that a kept app has, and the lowest that none has when those are
 * used up. To be called in the transaction that takes it. Throws `NoPortLeft`.
 */
export const nextPort = (db: Pick<SqliteDatabase, 'get'>): number => {
  const { highest } = db.get<{ highest: number }>(
    sql`select coalesce(max(port), ${FIRST_PORT - 1}) as highest from apps where discarded_at is null`
  )
  if (highest < LAST_PORT) return highest + 1
  const free = db.get<{ port: number } | undefined>(sql`
    select port from (
      select ${FIRST_PORT} as port union all select port + 1 from apps where discarded_at is null order by port
    ) as candidate
    where port <= ${LAST_PORT} and not exists (
      select 1 from apps where apps.port = candidate.port and discarded_at is null
    )
    limit 1`)
  if (free === undefined) throw new NoPortLeft()
  return free.port
}

/** Values for a new row. */
export const newRow = (app: NewApp, port: number) => ({
  name: app.name,
  descriptiveName: app.descriptiveName,
  port,
  panels: app.panels,
  schedule: app.schedule,
  ...ownerColumns(app.owner),
  createdAt: app.createdAt,
  updatedAt: app.createdAt
})

/**
 * What an audit entry tells of a new app. Panels and schedules may be large, and may hold what is nobody else's
 * business.
 */
const audited = (app: App): Changes =>
  creation({
    descriptive_name: app.descriptiveName,
    owner_type: app.owner.type,
    owner_id: app.owner.id,
    port: app.port
  })

const changesOf = (before: App, after: AppChange): Changes => ({
  ...(after.descriptiveName === undefined
    ? {}
    : differences({ descriptive_name: before.descriptiveName }, { descriptive_name: after.descriptiveName })),
  ...(after.panels === undefined || after.panels === before.panels ? {} : { panels: { changed: true } }),
  ...(after.schedule === undefined || after.schedule === before.schedule ? {} : { schedule: { changed: true } })
})

export const createAppStore = (db: SqliteDatabase, appendAudit: AppendAudit): AppStore => {
  /** A selection of apps as a statement, and its parameters. Its rows are arrays, which are made in half the time. */
  const statement = (condition: SQL | undefined, ...order: readonly SQLiteColumn[]) => {
    const { sql: text, params } = db
      .select(columns)
      .from(apps)
      .where(condition)
      .orderBy(...order)
      .toSQL()
    return { rows: db.$client.prepare<unknown[], Row>(text).raw(), params }
  }

  const keptByName = statement(and(kept, eq(apps.name, sql.placeholder('key')))).rows
  const keptById = statement(and(kept, eq(apps.id, sql.placeholder('key')))).rows
  const standing = createStandings(db)
  const refuseOwner = createOwnerCheck(db)

  const find = (key: AppKey): App | null => {
    const row = (typeof key === 'number' ? keptById : keptByName).get(key)
    return row === undefined ? null : toApp(row)
  }

  const check = (app: App, action: AppAction, { userId }: Asker): App | null => {
    if (userId === null) return app
    const stands = standing(app, userId)
    if (!mayDo(stands, 'read')) return null
    if (!mayDo(stands, action)) throw new Forbidden()
    return app
  }

  /** The app, where the asker may see it. Throws where the asker may not do this to it. */
  const reach = (key: AppKey, action: AppAction, asker: Asker): App | null => {
    const app = find(key)
    return app === null ? null : check(app, action, asker)
  }

  const grantsOf = (appId: number, userId: number): Permit[] =>
    permitsIn(
      Number(
        db
          .select({ sum: sql<number>`coalesce(sum(${grants.permit}), 0)` })
          .from(grants)
          .where(and(eq(grants.appId, appId), eq(grants.userId, userId)))
          .get()?.sum
      )
    )

  const refuseTakenName = (owner: Owner, descriptiveName: string): void => {
    const taken = db
      .select({ id: apps.id })
      .from(apps)
      .where(and(isOwnedBy(owner), eq(apps.descriptiveName, descriptiveName), kept))
      .get()
    if (taken !== undefined) throw new DescriptiveNameTaken()
  }

  const insert = (app: NewApp): App => {
    refuseTakenName(app.owner, app.descriptiveName)
    const { ownerType, ownerId, ...made } = db
      .insert(apps)
      .values(newRow(app, nextPort(db)))
      .returning({ ...columns, tags: sql<string>`'[]'` })
      .get()
    return { ...made, owner: { type: ownerType, id: ownerId } }
  }

  // Where a window that begins after `after` ends; null where it is the last. Reads nothing but an index.
  const windowEnd = (range: ListRange): ListPosition | null =>
    db
      .select({ descriptiveName: apps.descriptiveName, id: apps.id })
      .from(apps)
      .where(inRange(range))
      .orderBy(...order)
      .limit(1)
      .offset(WINDOW_APPS - 1)
      .get() ?? null

  /**
   * The ids of the apps that a user may read, where they are few enough to be looked up one by one; null where they are
   * not.
   */
  const fewIds = (userId: number): number[] | null => {
    const ids = db.all<{ id: number }>(sql`${visibleAppIds(userId)} limit ${FEW_APPS + 1}`).map(({ id }) => id)
    return ids.length > FEW_APPS ? null : ids
  }

  /** The places of a range among apps of some ids, in order: what is sorted must not hold what may be large. */
  const placesAmong = (
    ids: readonly number[],
    filter: AppFilter,
    range: ListRange,
    limit = ids.length
  ): ListPosition[] =>
    db
      .select({ descriptiveName: apps.descriptiveName, id: apps.id })
      .from(apps)
      .where(and(isAmong(ids), inRange(range), matches({ ...filter, userId: null })))
      .orderBy(...order)
      .limit(limit)
      .all()

  /** Makes the function that reads one app, where it still passes a filter. */
  const createReader = (filter: AppFilter): ((id: number) => App[]) => {
    const { rows, params } = statement(and(matches({ ...filter, userId: null }), eq(apps.id, sql.placeholder('id'))))
    const fixed = params.slice(0, -1)
    return id => rows.all(...fixed, id).map(toApp)
  }

  const readUpTo = (bytes: number, filter: AppFilter, range: ListRange): { batch: App[]; whole: boolean } => {
    const { rows, params } = statement(and(inRange(range), matches(filter)), ...order)
    const batch: App[] = []
    let size = 0
    for (const row of rows.iterate(...params)) {
      const app = toApp(row)
      batch.push(app)
      size += sizeOf(app)
      if (size >= bytes) return { batch, whole: false }
    }
    return { batch, whole: true }
  }

  const change = createChange(db)

  const audit = (action: string, name: string, at: string, { origin }: Asker, changes: Changes): void => {
    appendAudit({ at: new Date(at), origin, action: `app.${action}`, subject: { type: 'app', id: name }, changes })
  }

  return {
    insert: async (app, asker) =>
      await change(() => {
        refuseOwner(app.owner, 'create', asker)
        const made = insert(app)
        audit('create', app.name, app.createdAt, asker, audited(made))
        return made
      }),

    find: async (key, asker) => await attempt(() => reach(key, 'read', asker)),

    update: async (key, wanted, at, asker) =>
      await change(() => {
        const before = reach(key, 'update', asker)
        if (before === null || Object.keys(wanted).length === 0) return before
        const { descriptiveName = before.descriptiveName } = wanted
        if (descriptiveName !== before.descriptiveName) refuseTakenName(before.owner, descriptiveName)
        db.update(apps)
          .set({ ...wanted, updatedAt: at })
          .where(eq(apps.id, before.id))
          .run()
        audit('update', before.name, at, asker, changesOf(before, wanted))
        return find(before.id)
      }),

    discard: async (key, at, asker) =>
      await change(() => {
        const app = reach(key, 'destroy', asker)
        if (app === null) return false
        db.update(apps).set({ discardedAt: at, updatedAt: at }).where(eq(apps.id, app.id)).run()
        audit('delete', app.name, at, asker, {})
        return true
      }),

    copy: async (key, copy, asker) =>
      await change(() => {
        const original = reach(key, 'read', asker)
        if (original === null) return null
        refuseOwner(original.owner, 'create', asker)
        const made = insert({ ...copy, panels: original.panels, schedule: original.schedule, owner: original.owner })
        db.insert(tags)
          .select(
            db
              .select({
                id: sql<number>`null`.as('id'),
                appId: sql<number>`${made.id}`.as('app_id'),
                context: tags.context,
                name: tags.name
              })
              .from(tags)
              .where(eq(tags.appId, original.id))
              .orderBy(tags.id)
          )
          .run()
        audit('copy', copy.name, copy.createdAt, asker, { ...audited(made), copied_from: { to: original.name } })
        return find(made.id)
      }),

    addTag: async (key, tag, at, asker) =>
      await change(() => {
        const app = reach(key, 'update', asker)
        if (app === null) return null
        const known = db.select({ id: tags.id }).from(tags).where(isTag(app, tag)).get()
        if (known !== undefined) return { tag: { id: known.id, ...tag }, added: false }
        if (countRows(db, tags, eq(tags.appId, app.id)) >= MOST_TAGS) throw new TooManyTags()
        const { id } = db
          .insert(tags)
          .values({ appId: app.id, ...tag })
          .returning({ id: tags.id })
          .get()
        audit('add_tag', app.name, at, asker, creation({ tag }))
        return { tag: { id, ...tag }, added: true }
      }),

    removeTag: async (key, tag, at, asker) =>
      await change(() => {
        const app = reach(key, 'update', asker)
        if (app === null || db.delete(tags).where(isTag(app, tag)).run().changes === 0) return false
        audit('remove_tag', app.name, at, asker, { tag: { from: tag, to: null } })
        return true
      }),

    grants: async (key, asker) =>
      await attempt(() => {
        const app = reach(key, 'read', asker)
        if (app === null) return null
        const stands = asker.userId === null ? null : standing(app, asker.userId)
        if (stands !== null && !(['administer', 'grant', 'revoke'] as const).some(action => mayDo(stands, action))) {
          throw new Forbidden()
        }
        return db
          .select({ userId: grants.userId, sum: sql<number>`sum(${grants.permit})` })
          .from(grants)
          .where(eq(grants.appId, app.id))
          .groupBy(grants.userId)
          .orderBy(grants.userId)
          .all()
          .map(({ userId, sum }) => ({ userId, permits: permitsIn(sum) }))
      }),

    setGrants: async (key, userId, permits, are, at, asker) =>
      await change(() => {
        const app = reach(key, are === 'granted' ? 'grant' : 'revoke', asker)
        if (app === null) return null
        if (are === 'granted' && asker.userId !== null) for (const permit of permits) check(app, permit, asker)
        if (db.select({ id: users.id }).from(users).where(eq(users.id, userId)).get() === undefined) {
          throw new UserNotFound()
        }
        const before = grantsOf(app.id, userId)
        for (const permit of permits) {
          if (are === 'granted') {
            db.insert(grants).values({ appId: app.id, userId, permit: PERMITS[permit] }).onConflictDoNothing().run()
          } else {
            db.delete(grants)
              .where(and(eq(grants.appId, app.id), eq(grants.userId, userId), eq(grants.permit, PERMITS[permit])))
              .run()
          }
        }
        const after = grantsOf(app.id, userId)
        const changes = differences({ permits: before }, { permits: after })
        if (Object.keys(changes).length > 0) {
          audit(are === 'granted' ? 'grant' : 'revoke', app.name, at, asker, { user_id: { to: userId }, ...changes })
        }
        return { userId, permits: after }
      }),

    transfer: async (key, owner, at, asker) =>
      await change(() => {
        const app = reach(key, 'transfer', asker)
        if (app === null) return null
        refuseOwner(owner, 'receive', asker)
        if (owner.type === app.owner.type && owner.id === app.owner.id) return app
        refuseTakenName(owner, app.descriptiveName)
        db.update(apps)
          .set({ ...ownerColumns(owner), updatedAt: at })
          .where(eq(apps.id, app.id))
          .run()
        audit('transfer', app.name, at, asker, ownerChanges(app.owner, owner))
        return find(app.id)
      }),

    nameFor: async (key, action, asker) =>
      await attempt(() => {
        const { rows, params } = statement(eq(typeof key === 'number' ? apps.id : apps.name, key))
        const row = rows.get(...params)
        return row === undefined ? null : (check(toApp(row), action, asker)?.name ?? null)
      }),

    async *list(filter, { after, until, newest }) {
      const few = filter.userId === null ? null : await attempt(() => fewIds(Number(filter.userId)))
      if (few !== null) {
        const places = await attempt(() => placesAmong(few, filter, { after, until, newest }))
        const read = createReader(filter)
        while (places.length > 0) {
          const batch: App[] = []
          let done = 0
          await attempt(() => {
            let size = 0
            for (const { id } of places) {
              if (size >= BATCH_BYTES || batch.length >= WINDOW_APPS) break
              done++
              const found = read(id)
              batch.push(...found)
              size += found.reduce((sum, app) => sum + sizeOf(app), 0)
            }
          })
          places.splice(0, done)
          yield batch
          await setImmediate()
        }
        return
      }
      for (let position = after; ;) {
        const range: ListRange = { after: position, until }
        const end = await attempt(() => windowEnd(range))
        const { batch, whole } = await attempt(() =>
          readUpTo(BATCH_BYTES, filter, { after: position, until: end ?? until, newest })
        )
        yield batch
        if (!whole) position = batch.at(-1)
        else if (end !== null) position = end
        else return
        await setImmediate()
      }
    },

    async page(filter, limit, after) {
      const newest = await attempt(
        () =>
          db
            .select({ id: max(apps.id) })
            .from(apps)
            .get()?.id ?? 0
      )
      const few = filter.userId === null ? null : await attempt(() => fewIds(Number(filter.userId)))
      if (few !== null) {
        const places = await attempt(() => placesAmong(few, filter, { after }, limit + 1))
        return places.length > limit ? { after, until: places.at(-2), newest } : { after, newest }
      }
      let last: ListPosition | undefined
      for (let position = after, seen = 0; ;) {
        const end = await attempt(() => windowEnd({ after: position }))
        const places: ListPosition[] = await attempt(() =>
          db
            .select({ descriptiveName: apps.descriptiveName, id: apps.id })
            .from(apps)
            .where(and(inRange({ after: position, until: end ?? undefined }), matches(filter)))
            .orderBy(...order)
            .limit(limit + 1 - seen)
            .all()
        )
        if (seen + places.length > limit) return { after, until: places.at(-2) ?? last, newest }
        if (end === null) return { after, newest }
        seen += places.length
        last = places.at(-1) ?? last
        position = end
        await setImmediate()
      }
    }
  }
}
