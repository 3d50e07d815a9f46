import type { Audit } from './audit.ts'

export interface AuditFilter {
  readonly subjectType?: string | undefined
  readonly subjectId?: string | undefined
  readonly actorKind?: string | undefined
  readonly actorId?: string | undefined
  readonly action?: string | undefined
  /** Entries from this instant on: ISO 8601 in UTC with milliseconds. */
  readonly since?: string | undefined
  /** Entries before this instant. */
  readonly until?: string | undefined
}

/**
 * The audit trail of the service. It is written by the other stores, each entry in the transaction of its change, and
 * nothing in it is ever changed or removed.
 */
export interface AuditStore {
  /** The entries that match, the newest first: `limit` of them, below the sequence `before`. */
  page: (filter: AuditFilter, limit: number, before?: number) => Promise<{ audits: Audit[]; more: boolean }>
  /** Every entry in order. */
  trail: () => AsyncGenerator<Audit, void>
  /** The highest sequence ever given out; 0: none was. */
  written: () => Promise<number>
}
