import { setImmediate } from 'node:timers/promises'
import { asc, gt } from 'drizzle-orm'
import type { Audit, NewAudit } from '../../domain/audits/audit.ts'
import { GENESIS, hashOf } from '../../domain/audits/chain.ts'
import type { AuditStore } from '../../domain/audits/store.ts'
import { createAuditSearch } from './audit-search.ts'
import type { SqliteDatabase } from './database.ts'
import { attempt } from './failures.ts'
import { audits } from './schema.ts'

const BATCH = 1000

const toAudit = ({
  actorKind,
  actorId,
  actorName,
  subjectType,
  subjectId,
  ...row
}: typeof audits.$inferSelect): Audit => ({
  ...row,
  actor: { kind: actorKind, id: actorId, name: actorName },
  subject: { type: subjectType, id: subjectId }
})

/**
 * Adds an entry to the trail. To be called in the transaction of the change, which is written at once or not at all.
 */
export type AppendAudit = (audit: NewAudit) => void

/** Makes the writer of entries. What it adds is chained to what any process added before. */
export const createAuditWriter = ({ $client }: SqliteDatabase): AppendAudit => {
  const last = $client.prepare<[], { sequence: number; hash: string }>(
    'select sequence, hash from audits order by sequence desc limit 1'
  )
  const insert = $client.prepare(`
    insert into audits (
      sequence, at, actor_kind, actor_id, actor_name, action, subject_type, subject_id, changes, address, request_id, previous_hash, hash
    ) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
  `)
  return ({ at, origin: { actor, address, requestId }, action, subject, changes }) => {
    const { sequence, hash: previousHash } = last.get() ?? { sequence: 0, hash: GENESIS }
    const entry = {
      sequence: sequence + 1,
      at: at.toISOString(),
      actor,
      action,
      subject,
      changes: JSON.stringify(changes),
      address,
      requestId,
      previousHash
    }
    insert.run(
      entry.sequence,
      entry.at,
      actor.kind,
      actor.id,
      actor.name,
      action,
      subject.type,
      subject.id,
      entry.changes,
      address,
      requestId,
      previousHash,
      hashOf(entry)
    )
  }
}

export const createAuditStore = (db: SqliteDatabase): AuditStore => {
  const search = createAuditSearch(db)
  return {
    page: async (filter, limit, before) => {
      const found = await search(filter, limit + 1, before)
      return { audits: found.slice(0, limit).map(toAudit), more: found.length > limit }
    },

    async *trail() {
      for (let after: number | undefined = Number.MIN_SAFE_INTEGER; after !== undefined;) {
        const from: number = after
        const rows = await attempt(() =>
          db.select().from(audits).where(gt(audits.sequence, from)).orderBy(asc(audits.sequence)).limit(BATCH).all()
        )
        yield* rows.map(toAudit)
        after = rows.length < BATCH ? undefined : rows.at(-1)?.sequence
        await setImmediate()
      }
    },

    written: async () =>
      await attempt(
        () =>
          db.$client.prepare<[], { seq: number }>("select seq from sqlite_sequence where name = 'audits'").get()?.seq ??
          0
      )
  }
}
