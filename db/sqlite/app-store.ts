import { setImmediate } from 'node:timers/promises'
import { and, eq, isNull, lte, max, sql } from 'drizzle-orm'
import type { SQL } from 'drizzle-orm'
import type { App, AppChange, NewApp, Owner, TagKey } from '../../apps/app.ts'
import type { AppFilter, AppStore, ListPosition, ListRange } from '../../apps/store.ts'
import { creation, differences } from '../../audits/audit.ts'
import type { Changes, Origin } from '../../audits/audit.ts'
import type { AppendAudit } from './audit-store.ts'
import { attempt } from './failures.ts'
import type { SqliteDatabase } from './database.ts'
import { apps, tags } from './schema.ts'

/** How many apps are looked at, and how many bytes of them are read, before other work gets its turn. */
const WINDOW_APPS = 250
const BATCH_BYTES = 256 * 1024

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
  id: number, name: string, descriptiveName: string, port: number, panels: string | null, readableBy: string | null,
  schedule: string | null, ownerType: Owner['type'], ownerId: number, tags: string, createdAt: string,
  updatedAt: string, discardedAt: string | null
]

const toApp = ([
  id, name, descriptiveName, port, panels, readableBy, schedule, ownerType, ownerId, tags, createdAt, updatedAt, discardedAt
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
const comesAfter = ({ descriptiveName, id }: ListPosition): SQL => sql`(${apps.descriptiveName}, ${apps.id}) > (${descriptiveName}, ${id})`
const comesUntil = ({ descriptiveName, id }: ListPosition): SQL => sql`(${apps.descriptiveName}, ${apps.id}) <= (${descriptiveName}, ${id})`

const inRange = ({ after, until, newest }: ListRange): SQL | undefined =>
  and(after && comesAfter(after), until && comesUntil(until), newest === undefined ? undefined : lte(apps.id, newest))

const matches = (filter: AppFilter): SQL | undefined => and(
  filter.includeDiscarded ? undefined : kept,
  ...filter.tags.map(({ context, name }) => sql`exists (
    select 1 from ${tags} where ${tags.appId} = ${apps.id} and ${tags.context} = ${context} and ${tags.name} = ${name}
  )`)
)

const isTag = (app: App, { context, name }: TagKey): SQL | undefined =>
  and(eq(tags.appId, app.id), eq(tags.context, context), eq(tags.name, name))

/** Values for a new row. The port is given in the same statement that takes it, so that two apps never get one. */
export const newRow = (app: NewApp) => ({
  name: app.name,
  descriptiveName: app.descriptiveName,
  port: sql<number>`(select coalesce(max(port), 3000) + 1 from apps)`,
  panels: app.panels,
  schedule: app.schedule,
  userId: app.owner.type === 'User' ? app.owner.id : null,
  organizationId: app.owner.type === 'Organization' ? app.owner.id : null,
  createdAt: app.createdAt,
  updatedAt: app.createdAt
})

/** What an audit entry tells of a new app. Panels and schedules may be large, and may hold what is nobody else's business. */
const audited = (app: App): Changes => creation({ descriptive_name: app.descriptiveName, owner_type: app.owner.type, owner_id: app.owner.id, port: app.port })

const changesOf = (before: App, after: AppChange): Changes => ({
  ...after.descriptiveName === undefined ? {} : differences({ descriptive_name: before.descriptiveName }, { descriptive_name: after.descriptiveName }),
  ...after.panels === undefined || after.panels === before.panels ? {} : { panels: { changed: true } },
  ...after.schedule === undefined || after.schedule === before.schedule ? {} : { schedule: { changed: true } }
})

export const createAppStore = (db: SqliteDatabase, appendAudit: AppendAudit): AppStore => {
  const keptByName = db.select(columns).from(apps).where(and(eq(apps.name, sql.placeholder('name')), kept)).prepare()

  const find = (name: string): App | null => {
    const [row] = keptByName.values({ name }) as (Row | undefined)[]
    return row === undefined ? null : toApp(row)
  }

  const insert = (app: NewApp): App => {
    const [row] = db.insert(apps).values(newRow(app)).returning({ ...columns, tags: sql<string>`'[]'` }).values() as Row[]
    return toApp(row)
  }

  // Where a window that begins after `after` ends; null where it is the last. Reads nothing but an index.
  const windowEnd = (range: ListRange): ListPosition | null =>
    db.select({ descriptiveName: apps.descriptiveName, id: apps.id }).from(apps).where(inRange(range))
      .orderBy(...order).limit(1).offset(WINDOW_APPS - 1).get() ?? null

  const readUpTo = (bytes: number, filter: AppFilter, range: ListRange): { batch: App[], whole: boolean } => {
    const { sql: text, params } = db.select(columns).from(apps).where(and(inRange(range), matches(filter))).orderBy(...order).toSQL()
    const batch: App[] = []
    let size = 0
    for (const row of db.$client.prepare<unknown[], Row>(text).raw().iterate(...params) as Iterable<Row>) {
      const app = toApp(row)
      batch.push(app)
      size += (app.panels?.length ?? 0) + (app.schedule?.length ?? 0) + app.tags.length
      if (size >= bytes) return { batch, whole: false }
    }
    return { batch, whole: true }
  }

  const change = async <T>(work: () => T): Promise<T> => await attempt(() => db.transaction(work, { behavior: 'immediate' }))

  const audit = (action: string, name: string, at: string, origin: Origin, changes: Changes): void => {
    appendAudit({ at: new Date(at), origin, action: `app.${action}`, subject: { type: 'app', id: name }, changes })
  }

  return {
    insert: async (app, origin) => await change(() => {
      const made = insert(app)
      audit('create', app.name, app.createdAt, origin, audited(made))
      return made
    }),

    findByName: async name => await attempt(() => find(name)),

    update: async (name, wanted, at, origin) => await change(() => {
      const before = find(name)
      if (before === null || Object.keys(wanted).length === 0) return before
      db.update(apps).set({ ...wanted, updatedAt: at }).where(eq(apps.id, before.id)).run()
      audit('update', name, at, origin, changesOf(before, wanted))
      return find(name)
    }),

    discard: async (name, at, origin) => await change(() => {
      const isDone = db.update(apps).set({ discardedAt: at, updatedAt: at }).where(and(eq(apps.name, name), kept)).run().changes === 1
      if (isDone) audit('delete', name, at, origin, {})
      return isDone
    }),

    copy: async (name, copy, origin) => await change(() => {
      const original = find(name)
      if (original === null) return null
      const made = insert({ ...copy, panels: original.panels, schedule: original.schedule, owner: original.owner })
      db.insert(tags).select(
        db.select({ id: sql<number>`null`.as('id'), appId: sql<number>`${made.id}`.as('app_id'), context: tags.context, name: tags.name })
          .from(tags).where(eq(tags.appId, original.id)).orderBy(tags.id)
      ).run()
      audit('copy', copy.name, copy.createdAt, origin, { ...audited(made), copied_from: { to: name } })
      return find(copy.name)
    }),

    addTag: async (name, tag, at, origin) => await change(() => {
      const app = find(name)
      if (app === null) return null
      const [added]: ({ id: number } | undefined)[] = db.insert(tags).values({ appId: app.id, ...tag }).onConflictDoNothing().returning({ id: tags.id }).all()
      if (added !== undefined) {
        audit('add_tag', name, at, origin, creation({ tag }))
        return { tag: { id: added.id, ...tag }, added: true }
      }
      const [{ id }] = db.select({ id: tags.id }).from(tags).where(isTag(app, tag)).all()
      return { tag: { id, ...tag }, added: false }
    }),

    removeTag: async (name, tag, at, origin) => await change(() => {
      const app = find(name)
      const isDone = app !== null && db.delete(tags).where(isTag(app, tag)).run().changes === 1
      if (isDone) audit('remove_tag', name, at, origin, { tag: { from: tag, to: null } })
      return isDone
    }),

    async * list (filter, { after, until, newest }) {
      for (let position = after; ;) {
        const range: ListRange = { after: position, until }
        const end = await attempt(() => windowEnd(range))
        const { batch, whole } = await attempt(() => readUpTo(BATCH_BYTES, filter, { after: position, until: end ?? until, newest }))
        yield batch
        if (!whole) position = batch.at(-1)
        else if (end !== null) position = end
        else return
        await setImmediate()
      }
    },

    async page (filter, limit, after) {
      const newest = await attempt(() => db.select({ id: max(apps.id) }).from(apps).get()?.id ?? 0)
      let last: ListPosition | undefined
      for (let position = after, seen = 0; ;) {
        const end = await attempt(() => windowEnd({ after: position }))
        const places: ListPosition[] = await attempt(() => db.select({ descriptiveName: apps.descriptiveName, id: apps.id }).from(apps)
          .where(and(inRange({ after: position, until: end ?? undefined }), matches(filter)))
          .orderBy(...order).limit(limit + 1 - seen).all())
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
