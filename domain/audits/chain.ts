import { hash } from 'node:crypto'
import type { Audit, UnchainedAudit } from './audit.ts'
import type { AuditHead } from './rows.ts'

/** The `previousHash` of the first entry. */
export const GENESIS = '0'.repeat(64)

/** Returns the members of an entry in the order in which they are hashed and stored, except those that chain it. */
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

/** Returns the part of the hashed JSON array between the sequence and the previous hash. */
export const hashedMembers = (entry: UnchainedAudit): string => JSON.stringify(membersOf(entry)).slice(1, -1)

/** Returns the hash of an entry: the SHA-256 of its members as a JSON array, which ends with the previous hash. */
export const hashOf = (entry: Omit<Audit, 'hash'>): string =>
  hash('sha256', `[${entry.sequence},${hashedMembers(entry)},${JSON.stringify(entry.previousHash)}]`)

/** Returns an entry with its sequence and hashes, chained to the last entry of the trail. */
export const chained = (entry: UnchainedAudit, last: AuditHead): Audit => {
  const content = { ...entry, sequence: last.sequence + 1, previousHash: last.hash }
  return { ...content, hash: hashOf(content) }
}

export type Verification = { whole: true; head: AuditHead } | { whole: false; sequence: number; fault: string }

/**
 * Verifies the entries of a trail in order. Returns the head of the trail, or the first entry that was altered, removed
 * or inserted. `written` is the head that was stored when the verification began. `noted` is a head that was recorded
 * earlier, out of reach of anyone who can write to the database. It also reveals whether the trail was rewritten, or
 * was truncated together with its head.
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
        : broken(due - 1, `was altered or replaced: entry ${due} was appended to a different one`)
    }
    if (written.sequence === due && written.hash !== entry.hash) {
      return broken(due, 'is not the one that was appended: it, or an earlier one, was replaced')
    }
    if (noted?.sequence === due && noted.hash !== entry.hash) {
      return broken(due, 'is not the one whose hash was noted: it, or an earlier one, was replaced')
    }
    head = { sequence: due, hash: entry.hash }
  }
  const last = Math.max(written.sequence, noted?.sequence ?? 0)
  return last > head.sequence ? broken(head.sequence + 1, 'was removed') : { whole: true, head }
}
