import { setImmediate } from 'node:timers/promises'
import { and, asc, desc, eq, gt, gte, lt, max } from 'drizzle-orm'
import type { SQL } from 'drizzle-orm'
import type { Audit, NewAudit } from '../../audits/audit.ts'
import { GENESIS, hashOf } from '../../audits/chain.ts'
import type { AuditFilter, AuditStore } from '../../audits/store.ts'
import type { SqliteDatabase } from './database.ts'
import { attempt } from './failures.ts'
import { audits } from './schema.ts'

const BATCH = 1000
const WINDOW = 1000

const toAudit = ({ actorKind, actorId, actorName, subjectType, subjectId, ...row }: typeof audits.$inferSelect): Audit => ({
  ...row, actor: { kind: actorKind, id: actorId, name: actorName }, subject: { type: subjectType, id: subjectId }
})

/** Adds an entry to the trail. To be called in the transaction of the change, which is written at once or not at all. */
export type AppendAudit = (audit: NewAudit) => void

/** Makes the writer of entries. What it adds is chained to what any process added before. */
export const createAuditWriter = ({ $client }: SqliteDatabase): AppendAudit => {
  const last = $client.prepare<[], { sequence: number, hash: string }>('select sequence, hash from audits order by sequence desc limit 1')
  const insert = $client.prepare(`
    insert into audits (
      sequence, at, actor_kind, actor_id, actor_name, action, subject_type, subject_id, changes, address, request_id, previous_hash, hash
    ) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
  `)
  return ({ at, origin: { actor, address, requestId }, action, subject, changes }) => {
    const { sequence, hash: previousHash } = last.get() ?? { sequence: 0, hash: GENESIS }
    const entry = {
      sequence: sequence + 1, at: at.toISOString(), actor, action, subject, changes: JSON.stringify(changes), address, requestId, previousHash
    }
    insert.run(
      entry.sequence, entry.at, actor.kind, actor.id, actor.name, action, subject.type, subject.id, entry.changes, address, requestId,
      previousHash, hashOf(entry)
    )
  }
}

const matches = (filter: AuditFilter): SQL | undefined => and(
  filter.subjectType === undefined ? undefined : eq(audits.subjectType, filter.subjectType),
  filter.subjectId === undefined ? undefined : eq(audits.subjectId, filter.subjectId),
  filter.actorKind === undefined ? undefined : eq(audits.actorKind, filter.actorKind),
  filter.actorId === undefined ? undefined : eq(audits.actorId, filter.actorId),
  filter.action === undefined ? undefined : eq(audits.action, filter.action),
  filter.since === undefined ? undefined : gte(audits.at, filter.since),
  filter.until === undefined ? undefined : lt(audits.at, filter.until)
)

export const createAuditStore = (db: SqliteDatabase): AuditStore => ({
  // In windows, so that a filter that nothing passes does not stop everybody else.
  page: async (filter, limit, before) => {
    const found: Audit[] = []
    const newest = await attempt(() => db.select({ sequence: max(audits.sequence) }).from(audits).get()?.sequence ?? 0)
    for (let top = Math.min(before ?? Infinity, newest + 1); top > 0 && found.length <= limit; top -= WINDOW) {
      const rows = await attempt(() => db.select().from(audits)
        .where(and(lt(audits.sequence, top), gte(audits.sequence, top - WINDOW), matches(filter)))
        .orderBy(desc(audits.sequence)).limit(limit + 1 - found.length).all())
      found.push(...rows.map(toAudit))
      await setImmediate()
    }
    return { audits: found.slice(0, limit), more: found.length > limit }
  },

  async * trail () {
    for (let after = Number.MIN_SAFE_INTEGER, rows; ; after = rows[rows.length - 1].sequence) {
      rows = await attempt(() => db.select().from(audits).where(gt(audits.sequence, after)).orderBy(asc(audits.sequence)).limit(BATCH).all())
      yield * rows.map(toAudit)
      if (rows.length < BATCH) return
      await setImmediate()
    }
  },

  written: async () => await attempt(() =>
    db.$client.prepare<[], { seq: number }>("select seq from sqlite_sequence where name = 'audits'").get()?.seq ?? 0)
})
