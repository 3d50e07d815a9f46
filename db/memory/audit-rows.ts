import type { Audit } from '../../domain/audits/audit.ts'
import { chained, GENESIS } from '../../domain/audits/chain.ts'
import type { AuditFilter, AuditHead, AuditReads, AuditRows } from '../../domain/audits/rows.ts'
import { by } from './key-reads.ts'
import type { Tables } from './tables.ts'

const matches = ({ at, actor, action, subject }: Audit, filter: AuditFilter): boolean =>
  (filter.subjectType === undefined || subject.type === filter.subjectType) &&
  (filter.subjectId === undefined || subject.id === filter.subjectId) &&
  (filter.actorKind === undefined || actor.kind === filter.actorKind) &&
  (filter.actorId === undefined || actor.id === filter.actorId) &&
  (filter.action === undefined || action === filter.action) &&
  (filter.since === undefined || at >= filter.since) &&
  (filter.until === undefined || at < filter.until)

export const createAuditReads = ({ audits }: Tables): AuditReads => ({
  newest: async (filter, { limit, before = Infinity }) =>
    audits
      .values()
      .filter(entry => entry.sequence < before && matches(entry, filter))
      .sort(by(({ sequence }) => -sequence))
      .slice(0, limit),
  inOrder: async ({ limit, after }) =>
    audits
      .values()
      .filter(({ sequence }) => sequence > after)
      .sort(by(({ sequence }) => sequence))
      .slice(0, limit),
  head: async (): Promise<AuditHead> => {
    const last = audits.values().at(-1)
    return last === undefined ? { sequence: 0, hash: GENESIS } : { sequence: last.sequence, hash: last.hash }
  }
})

export const createAuditRows = (tables: Tables): AuditRows => {
  const reads = createAuditReads(tables)
  return {
    ...reads,
    append: async unchained => {
      const entry = chained(unchained, await reads.head())
      tables.audits.set(String(entry.sequence), entry)
    }
  }
}
