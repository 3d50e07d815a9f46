import { asc, gt } from 'drizzle-orm'
import type { AuditHead, AuditReads, AuditRows } from '../../../domain/audits/rows.ts'
import { toAudit } from '../../audit-records.ts'
import { toText } from '../../instants.ts'
import type { PostgresDatabase } from '../database.ts'
import { query } from '../database.ts'
import { audits } from '../schema.ts'
import type { LeaveUnanswered } from '../transactor.ts'
import { searchAudits } from './search.ts'

const HEAD = 'select sequence, hash from audit_head'

const readHead = async (db: PostgresDatabase, text: string): Promise<AuditHead> => {
  const [head] = (await query(db, text)).rows
  if (head === undefined) throw new Error('the audit trail has lost its head: the row of audit_head is not there')
  return { sequence: Number(head['sequence']), hash: String(head['hash']) }
}

export const createAuditReads = (db: PostgresDatabase): AuditReads => ({
  newest: async (filter, { limit, before = Number.MAX_SAFE_INTEGER }) =>
    (await searchAudits(db, { filter, limit, before })).map(toAudit),
  inOrder: async ({ limit, after }) => {
    const inOrder = db.select().from(audits).where(gt(audits.sequence, after)).orderBy(asc(audits.sequence))
    return (await inOrder.limit(limit)).map(toAudit)
  },
  head: async () => await readHead(db, HEAD)
})

const APPEND = `
  insert into audits (
    sequence, at, actor_kind, actor_id, actor_name, action, subject_type, subject_id, changes, address, request_id,
      previous_hash, hash
  ) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
`

export const createAuditRows = (db: PostgresDatabase, leaveUnanswered: LeaveUnanswered): AuditRows => ({
  ...createAuditReads(db),
  // Writers wait for each other here, and see the head that the last one has left.
  lockHead: async () => await readHead(db, `${HEAD} for update`),
  // A trigger moves the head. Every other writer waits meanwhile, so the commit is not to wait for the answer.
  append: async ({ sequence, at, actor, action, subject, changes, address, requestId, previousHash, hash }) => {
    const entry = [sequence, toText(at), actor.kind, actor.id, actor.name, action, subject.type, subject.id]
    leaveUnanswered(query(db, APPEND, [...entry, changes, address, requestId, previousHash, hash]))
  }
})
