export const ACTOR_KINDS = ['client_key', 'user', 'cli'] as const

export const SUBJECT_TYPES = ['app', 'client_key', 'organization', 'user', 'sample'] as const

/** Who did something: a client key, a user, or a user of the machine at the command line. */
export interface Actor {
  readonly kind: (typeof ACTOR_KINDS)[number]
  readonly id: string
  readonly name: string
}

/** Who asked for a change, and by what request. */
export interface AuditSource {
  readonly actor: Actor
  /** Where the request came from; null: from the machine itself. */
  readonly address: string | null
  /** The id of the request in the log of the service; null: there was no request. */
  readonly requestId: string | null
}

export interface Subject {
  readonly type: (typeof SUBJECT_TYPES)[number]
  readonly id: string
}

/**
 * Each field that is another now, with what it was and what it is; a field that is too large to repeat says `changed`.
 */
export type Changes = Readonly<Record<string, { from?: unknown; to: unknown } | { changed: true }>>

/** What is written down of a change. */
export interface NewAudit {
  readonly at: Date
  readonly source: AuditSource
  /** A resource and a verb, such as `client_key.rotate`. */
  readonly action: string
  readonly subject: Subject
  readonly changes: Changes
}

/** An entry of the audit trail, as it is kept. */
export interface Audit extends Omit<AuditSource, 'actor'> {
  /** 1 and up, without a gap. */
  readonly sequence: number
  readonly at: Date
  readonly actor: { readonly kind: string; readonly id: string; readonly name: string }
  readonly action: string
  readonly subject: { readonly type: string; readonly id: string }
  /** JSON text. */
  readonly changes: string
  /** The hash of the entry before; 64 zeros for the first. */
  readonly previousHash: string
  /** SHA-256 of everything else, as 64 hexadecimal digits. */
  readonly hash: string
}

/** An entry that has no place in the trail yet. */
export type UnchainedAudit = Omit<Audit, 'sequence' | 'previousHash' | 'hash'>

/** What differs between two states of a thing, field by field. */
export const differences = (
  before: Readonly<Record<string, unknown>>,
  after: Readonly<Record<string, unknown>>
): Changes =>
  Object.fromEntries(
    Object.entries(after)
      .filter(([field, to]) => JSON.stringify(before[field]) !== JSON.stringify(to))
      .map(([field, to]) => [field, { from: before[field], to }])
  )

/** What a new thing is, field by field. */
export const creation = (made: Readonly<Record<string, unknown>>): Changes =>
  Object.fromEntries(Object.entries(made).map(([field, to]) => [field, { to }]))
