import type { Audit } from '../domain/audits/audit.ts'
import { toDate } from './timestamps.ts'

/** The columns of an audit trail entry. Every engine returns them in this format. */
export interface AuditRow {
  readonly sequence: number
  readonly at: string
  readonly actorKind: string
  readonly actorId: string
  readonly actorName: string
  readonly action: string
  readonly subjectType: string
  readonly subjectId: string
  readonly changes: string
  readonly address: string | null
  readonly requestId: string | null
  readonly previousHash: string
  readonly hash: string
}

// A timestamp that isn't in this service's format was altered. It's converted to an invalid date, so that the entry's
// hash no longer matches.
const toAuditTimestamp = (text: string): Date => {
  const timestamp = toDate(text)
  return timestamp.toJSON() === text ? timestamp : new Date(NaN)
}

export const toAudit = ({ actorKind, actorId, actorName, subjectType, subjectId, at, ...row }: AuditRow): Audit => ({
  ...row,
  at: toAuditTimestamp(at),
  actor: { kind: actorKind, id: actorId, name: actorName },
  subject: { type: subjectType, id: subjectId }
})
