import { hash } from 'node:crypto'
import type { Audit, UnchainedAudit } from './audit.ts'
import type { AuditHead } from './rows.ts'

/** What the first entry has for the hash of the entry before. */
export const GENESIS = '0'.repeat(64)

/** The members of an entry in the order in which they are hashed and stored, without those that chain it. */
export const membersOf = ({ at, actor, action, subject, changes, address, requestId }: UnchainedAudit) => [
  at.toJSON(),
  actor.kind,
  actor.id,
  actor.name,
  action,
  subject.type,
  subject.id,
  changes,
  address,
  requestId
]

/** What of an entry is hashed between its sequence and the hash of the entry before: members of a JSON array. */
export const hashedMembers = (entry: UnchainedAudit): string => JSON.stringify(membersOf(entry)).slice(1, -1)

/** The hash of an entry: SHA-256 of its members as a JSON array, the hash of the entry before the last of them. */
export const hashOf = (entry: Omit<Audit, 'hash'>): string =>
  hash('sha256', `[${entry.sequence},${hashedMembers(entry)},${JSON.stringify(entry.previousHash)}]`)

/** The entry that comes after the last one. */
export const chained = (entry: UnchainedAudit, last: AuditHead): Audit => {
  const content = { ...entry, sequence: last.sequence + 1, previousHash: last.hash }
  return { ...content, hash: hashOf(content) }
}

export type Verification = { whole: true; head: AuditHead } | { whole: false; sequence: number; fault: string }

/**
 * Walks a trail, given in order, and tells its head, or the first entry that was altered, removed or inserted.
 * `written` is the head that was stored when the walk began. A head noted earlier, in a place that an attacker of the
 * database can't write to, tells more: whether the trail was made anew, or cut off with its head.
 */
export const verifyTrail = async (
  entries: AsyncIterable<Audit>,
  written: AuditHead,
  noted?: AuditHead
): Promise<Verification> => {
  let head: AuditHead = { sequence: 0, hash: GENESIS }
  const broken = (sequence: number, fault: string): Verification => ({ whole: false, sequence, fault })

  for await (const entry of entries) {
    const due = head.sequence + 1
    if (entry.sequence < due) return broken(entry.sequence, 'was inserted')
    if (entry.sequence > due) return broken(due, 'was removed')
    if (hashOf(entry) !== entry.hash) return broken(due, 'was altered')
    if (entry.previousHash !== head.hash) {
      return due === 1
        ? broken(1, 'was altered')
        : broken(due - 1, `was altered or replaced: entry ${due} was written after another`)
    }
    if (written.sequence === due && written.hash !== entry.hash) {
      return broken(due, 'is not the one that was appended: it, or one before it, was replaced')
    }
    if (noted?.sequence === due && noted.hash !== entry.hash) {
      return broken(due, 'is not the one whose hash was noted: it, or one before it, was replaced')
    }
    head = { sequence: due, hash: entry.hash }
  }
  const last = Math.max(written.sequence, noted?.sequence ?? 0)
  return last > head.sequence ? broken(head.sequence + 1, 'was removed') : { whole: true, head }
}
