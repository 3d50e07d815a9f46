import type { Audit, UnchainedAudit } from './audit.ts'

export interface AuditFilter {
  readonly subjectType?: string | undefined
  readonly subjectId?: string | undefined
  readonly actorKind?: string | undefined
  readonly actorId?: string | undefined
  readonly action?: string | undefined
  /** Includes only entries created at or after this time. */
  readonly since?: Date | undefined
  /** Includes only entries created before this time. */
  readonly until?: Date | undefined
}

/** The sequence and hash of the last entry. An empty trail has the sequence 0 and a hash of 64 zeros. */
export interface AuditHead {
  readonly sequence: number
  readonly hash: string
}

export interface AuditReads {
  /** Returns at most `limit` matching entries with sequences less than `before`, newest first. */
  newest: (
    filter: AuditFilter,
    page: { readonly limit: number; readonly before?: number | undefined }
  ) => Promise<Audit[]>
  /**
   * Returns at most `limit` entries with sequences greater than `after`, in order. A negative `after` also includes
   * forged entries with sequences below 1.
   */
  inOrder: (page: { readonly limit: number; readonly after: number }) => Promise<Audit[]>
  /**
   * Returns the stored head: the sequence and hash of the last appended entry, even if that entry was removed later.
   */
  head: () => Promise<AuditHead>
}

/** Stores the audit trail. Entries can only be appended. */
export interface AuditRows extends AuditReads {
  /**
   * Appends an entry with the sequence and hashes that `chained` returns, and stores it as the head. No other
   * transaction can append an entry until this one ends. If appending fails, the transaction fails too, possibly only
   * when it's committed.
   */
  append: (entry: UnchainedAudit) => Promise<void>
}
