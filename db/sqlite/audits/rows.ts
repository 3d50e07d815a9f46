import { asc, gt } from 'drizzle-orm'
import { chained, membersOf } from '../../../domain/audits/chain.ts'
import type { AuditHead, AuditReads, AuditRows } from '../../../domain/audits/rows.ts'
import type { SqliteDatabase } from '../database.ts'
import { RowMissing } from '../../row-missing.ts'
import { toAudit } from '../../audit-records.ts'
import { audits } from '../schema.ts'
import { searchAudits } from './search.ts'

export const createAuditReads = (db: SqliteDatabase): AuditReads => {
  const readHead = db.$client.prepare<[], AuditHead>('select sequence, hash from audit_head')
  return {
    newest: async (filter, { limit, before = Number.MAX_SAFE_INTEGER }) =>
      (await searchAudits(db, { filter, limit, before })).map(toAudit),
    inOrder: async ({ limit, after }) =>
      db
        .select()
        .from(audits)
        .where(gt(audits.sequence, after))
        .orderBy(asc(audits.sequence))
        .limit(limit)
        .all()
        .map(toAudit),
    head: async () => {
      const head = readHead.get()
      if (head === undefined) {
        throw new RowMissing('the audit trail has no head: the table audit_head has no row')
      }
      return head
    }
  }
}

const APPEND = `
  insert into audits (
    sequence, at, actor_kind, actor_id, actor_name, action, subject_type, subject_id, changes, address, request_id,
      previous_hash, hash
  ) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
`

export const createAuditRows = (db: SqliteDatabase): AuditRows => {
  const reads = createAuditReads(db)
  const append = db.$client.prepare(APPEND)
  return {
    ...reads,
    // The transaction has exclusive access to the database. A trigger updates the head.
    append: async unchained => {
      const { sequence, previousHash, hash } = chained(unchained, await reads.head())
      append.run(sequence, ...membersOf(unchained), previousHash, hash)
    }
  }
}
