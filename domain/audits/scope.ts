import type { Audit } from './audit.ts'

/** Whose entries are looked for: those of an app; or those of an organization, its apps, and the users in it. */
export type AuditScope =
  { readonly type: 'app'; readonly name: string } | { readonly type: 'organization'; readonly id: number }

/** What the entries of a scope are searched by; `user_id` is that of the user who made the change. */
export const SEARCH_COLUMNS = ['id', 'user_id', 'created_at'] as const

export type SearchColumn = (typeof SEARCH_COLUMNS)[number]

export const SEARCH_OPERATORS = ['=', '!=', '<>', '<', '<=', '>', '>=', 'IN'] as const

export type SearchOperator = (typeof SEARCH_OPERATORS)[number]

/** A condition of a search. There is one value, or with `IN` at least one. */
export interface AuditCondition {
  readonly column: SearchColumn
  readonly operator: SearchOperator
  readonly values: readonly (number | Date)[]
}

/** The entries of a scope that meet all conditions. */
export interface ScopedSearch {
  readonly scope: AuditScope
  readonly conditions: readonly AuditCondition[]
}

/** An entry with what is known now of the things that it names; null: there is no such thing any more. */
export interface ScopedAudit extends Pick<Audit, 'sequence' | 'at' | 'actor' | 'action' | 'subject' | 'changes'> {
  /** The id of the app that the entry is about; null if it is about something else. */
  readonly appId: number | null
  readonly subjectName: string | null
  /** The address of the user who made the change, if that user belongs to the scope. */
  readonly actorEmail: string | null
}

export interface ScopedAuditReads {
  /**
   * The sequences of the entries that a search finds, the newest first: `limit` of them if there are so many, and
   * perhaps more.
   */
  readonly find: (search: ScopedSearch, page: { readonly limit: number }) => Promise<number[]>
  /** The entries of some sequences, the newest first. */
  readonly read: (scope: AuditScope, sequences: readonly number[]) => Promise<ScopedAudit[]>
}
