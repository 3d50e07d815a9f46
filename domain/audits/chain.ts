import { hash } from 'node:crypto'
import type { Audit, UnchainedAudit } from './audit.ts'
import type { AuditHead } from './rows.ts'

/** The `previousHash` of the first entry. */
export const GENESIS = '0'.repeat(64)

/**
 * Returns an entry's members in the order in which they are hashed and stored. Excludes the sequence and the hashes.
 */
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

/** Returns the part of the hashed JSON array that is between the sequence and the previous hash. */
export const hashedMembers = (entry: UnchainedAudit): string => JSON.stringify(membersOf(entry)).slice(1, -1)

/** Returns an entry's hash: the SHA-256 of a JSON array of the sequence, the other members, and the previous hash. */
export const hashOf = (entry: Omit<Audit, 'hash'>): string =>
  hash('sha256', `[${entry.sequence},${hashedMembers(entry)},${JSON.stringify(entry.previousHash)}]`)

/** Returns the entry with the sequence and the hashes that chain it to the last entry in the trail. */
export const chained = (entry: UnchainedAudit, last: AuditHead): Audit => {
  const content = { ...entry, sequence: last.sequence + 1, previousHash: last.hash }
  return { ...content, hash: hashOf(content) }
}

export type Verification = { whole: true; head: AuditHead } | { whole: false; sequence: number; fault: string }

/**
 * Verifies a trail's entries in order. Returns the trail's head, or the first entry that was altered, removed or
 * inserted.
 *
 * `storedHead` is the head that the database contained when the verification began. `recordedHead` is an earlier head
 * that was kept outside of the database. `recordedHead` also reveals whether the whole trail was rewritten, or whether
 * entries at the end were removed and the stored head was changed accordingly.
 */
export const verifyTrail = async (
  entries: AsyncIterable<Audit>,
  storedHead: AuditHead,
  recordedHead?: AuditHead
): Promise<Verification> => {
  let head: AuditHead = { sequence: 0, hash: GENESIS }
  const broken = (sequence: number, fault: string): Verification => ({ whole: false, sequence, fault })

  for await (const entry of entries) {
    const expected = head.sequence + 1
    if (entry.sequence < expected) return broken(entry.sequence, 'was inserted')
    if (entry.sequence > expected) return broken(expected, 'was removed')
    if (hashOf(entry) !== entry.hash) return broken(expected, 'was altered')
    if (entry.previousHash !== head.hash) {
      return expected === 1
        ? broken(1, 'was altered')
        : broken(expected - 1, `was altered or replaced: entry ${expected} was appended to a different one`)
    }
    if (storedHead.sequence === expected && storedHead.hash !== entry.hash) {
      return broken(expected, 'is not the one that was appended: it, or an earlier one, was replaced')
    }
    if (recordedHead?.sequence === expected && recordedHead.hash !== entry.hash) {
      return broken(expected, 'is not the one whose hash was noted: it, or an earlier one, was replaced')
    }
    head = { sequence: expected, hash: entry.hash }
  }
  const last = Math.max(storedHead.sequence, recordedHead?.sequence ?? 0)
  return last > head.sequence ? broken(head.sequence + 1, 'was removed') : { whole: true, head }
}
