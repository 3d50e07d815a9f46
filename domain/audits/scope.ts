import type { Audit } from './audit.ts'

/**
 * The subjects of a search: an app, or an organization and its apps. The accounts of the organization's members aren't
 * included, because an admin can add any user without that user's consent.
 */
export type AuditScope =
  { readonly type: 'app'; readonly name: string } | { readonly type: 'organization'; readonly id: number }

/** The columns that a condition can refer to. `user_id` is the id of the user who made the change. */
export const SEARCH_COLUMNS = ['id', 'user_id', 'created_at'] as const

export type SearchColumn = (typeof SEARCH_COLUMNS)[number]

export const SEARCH_OPERATORS = ['=', '!=', '<>', '<', '<=', '>', '>=', 'IN'] as const

export type SearchOperator = (typeof SEARCH_OPERATORS)[number]

/** A search condition. It has at least one value if the operator is `IN`, and exactly one value otherwise. */
export interface AuditCondition {
  readonly column: SearchColumn
  readonly operator: SearchOperator
  readonly values: readonly (number | Date)[]
}

/** A search for the entries in a scope that meet all of the conditions. */
export interface ScopedSearch {
  readonly scope: AuditScope
  readonly conditions: readonly AuditCondition[]
}

/**
 * An entry with the current names of its subject and actor. A name is null if its subject or actor no longer exists.
 */
export interface ScopedAudit extends Pick<Audit, 'sequence' | 'at' | 'actor' | 'action' | 'subject' | 'changes'> {
  /** The id of the app if the subject is an app, or null otherwise. */
  readonly appId: number | null
  readonly subjectName: string | null
  /** The e-mail address of the user who made the change, or null if that user doesn't belong to the scope. */
  readonly actorEmail: string | null
}

export interface ScopedAuditReads {
  /**
   * Returns the sequences of the entries that match a search, newest first. The result may contain more than `limit`
   * sequences. If it contains fewer, it's complete.
   */
  readonly find: (search: ScopedSearch, page: { readonly limit: number }) => Promise<number[]>
  /** Returns the entries with the given sequences, newest first. */
  readonly read: (scope: AuditScope, sequences: readonly number[]) => Promise<ScopedAudit[]>
}
