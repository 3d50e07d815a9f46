import type { Audit } from './audit.ts'

/** The subjects of a search: an app, or an organization with its apps and members. */
export type AuditScope =
  { readonly type: 'app'; readonly name: string } | { readonly type: 'organization'; readonly id: number }

/** The columns that a search can compare. `user_id` is the id of the user who made the change. */
export const SEARCH_COLUMNS = ['id', 'user_id', 'created_at'] as const

export type SearchColumn = (typeof SEARCH_COLUMNS)[number]

export const SEARCH_OPERATORS = ['=', '!=', '<>', '<', '<=', '>', '>=', 'IN'] as const

export type SearchOperator = (typeof SEARCH_OPERATORS)[number]

/** A condition of a search. It has exactly one value, or at least one with `IN`. */
export interface AuditCondition {
  readonly column: SearchColumn
  readonly operator: SearchOperator
  readonly values: readonly (number | Date)[]
}

/** A search for the entries of a scope that meet all conditions. */
export interface ScopedSearch {
  readonly scope: AuditScope
  readonly conditions: readonly AuditCondition[]
}

/** An entry with the current names of its subject and actor, which are null if these no longer exist. */
export interface ScopedAudit extends Pick<Audit, 'sequence' | 'at' | 'actor' | 'action' | 'subject' | 'changes'> {
  /** The id of the app if the subject is an app, or null. */
  readonly appId: number | null
  readonly subjectName: string | null
  /** The e-mail address of the user who made the change, or null if that user doesn't belong to the scope. */
  readonly actorEmail: string | null
}

export interface ScopedAuditReads {
  /**
   * Returns the sequences of the entries that a search finds, newest first. The result is complete if it has fewer than
   * `limit` entries, and may have more than `limit`.
   */
  readonly find: (search: ScopedSearch, page: { readonly limit: number }) => Promise<number[]>
  /** Returns the entries with these sequences, newest first. */
  readonly read: (scope: AuditScope, sequences: readonly number[]) => Promise<ScopedAudit[]>
}
