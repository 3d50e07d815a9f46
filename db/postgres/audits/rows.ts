import { asc, gt } from 'drizzle-orm'
import { hashedMembers, membersOf } from '../../../domain/audits/chain.ts'
import type { AuditHead, AuditReads, AuditRows } from '../../../domain/audits/rows.ts'
import { toAudit } from '../../audit-records.ts'
import type { PostgresDatabase } from '../database.ts'
import { RowMissing } from '../../row-missing.ts'
import { lock, query } from '../database.ts'
import { audits } from '../schema.ts'
import type { Outbox } from '../transaction.ts'
import { searchAudits } from './search.ts'

const HEAD = 'select sequence, hash from audit_head'

const readHead = async (db: PostgresDatabase, text: string): Promise<AuditHead> => {
  const [head] = (await query(db, text)).rows
  if (head === undefined) throw new RowMissing('the audit trail has no head: the table audit_head has no row')
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

// The database computes the same hash as `hashOf`. If a writer had to read the head first, all other writers would have
// to wait for one more round trip.
const APPEND = `
  insert into audits (
    sequence, at, actor_kind, actor_id, actor_name, action, subject_type, subject_id, changes, address, request_id,
      previous_hash, hash
  )
  select sequence, $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, previous_hash,
    encode(sha256(convert_to('[' || sequence || ',' || $11 || ',"' || previous_hash || '"]', 'UTF8')), 'hex')
  from (
    select (select sequence from audit_head) + 1 as sequence, (select hash from audit_head) as previous_hash
  ) as place
`

export const createAuditRows = (db: PostgresDatabase, { defer }: Outbox): AuditRows => ({
  ...createAuditReads(db),
  // From this statement on, all other writers wait until the commit, so it's sent last. A trigger updates the head.
  append: async entry => {
    const members = [...membersOf(entry), hashedMembers(entry)]
    defer('audit', async db => await Promise.all([lock(db, 'audits'), query(db, APPEND, members)]))
  }
})
