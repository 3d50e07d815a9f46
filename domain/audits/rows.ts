import type { Audit, UnchainedAudit } from './audit.ts'

export interface AuditFilter {
  readonly subjectType?: string | undefined
  readonly subjectId?: string | undefined
  readonly actorKind?: string | undefined
  readonly actorId?: string | undefined
  readonly action?: string | undefined
  /** Entries from this instant on. */
  readonly since?: Date | undefined
  /** Entries before this instant. */
  readonly until?: Date | undefined
}

/** The last entry of the trail; sequence 0, and 64 zeros for a hash, where there is none. */
export interface AuditHead {
  readonly sequence: number
  readonly hash: string
}

export interface AuditReads {
  /** The newest entries that match, at most `limit`, below the sequence `before`. */
  newest: (
    filter: AuditFilter,
    page: { readonly limit: number; readonly before?: number | undefined }
  ) => Promise<Audit[]>
  /** Entries in order, at most `limit`, above the sequence `after`, which may be negative to find forged ones. */
  inOrder: (page: { readonly limit: number; readonly after: number }) => Promise<Audit[]>
  /** The last entry that was ever appended. */
  head: () => Promise<AuditHead>
}

/** Entries are only ever appended. */
export interface AuditRows extends AuditReads {
  /**
   * Stores an entry after the last one, with the sequence and the hashes that `chained` gives it; it becomes the head.
   * Until the end of the transaction no other one appends. Where this fails, the transaction does, perhaps only at its
   * end.
   */
  append: (entry: UnchainedAudit) => Promise<void>
}
