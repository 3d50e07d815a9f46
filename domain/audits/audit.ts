export const ACTOR_KINDS = ['client_key', 'user', 'cli'] as const

export const SUBJECT_TYPES = [
  'app',
  'client_key',
  'client_key_owner',
  'organization',
  'service',
  'user',
  'sample'
] as const

/** The actor of a change: a client key, a user, or an operating system user at the command line. */
export interface Actor {
  readonly kind: (typeof ACTOR_KINDS)[number]
  readonly id: string
  readonly name: string
}

/** The actor and origin of a change. */
export interface AuditSource {
  readonly actor: Actor
  /** The requester's IP address, or null if the change was made on the machine itself. */
  readonly address: string | null
  /** The request's id in the log, or null if there was no request. */
  readonly requestId: string | null
}

export interface Subject {
  readonly type: (typeof SUBJECT_TYPES)[number]
  readonly id: string
}

/**
 * The changed fields, each with its old and new values. If the values are large or confidential, only `changed` is
 * recorded.
 */
export type Changes = Readonly<Record<string, { from?: unknown; to: unknown } | { changed: true }>>

/** A change to record. */
export interface NewAudit {
  readonly at: Date
  readonly source: AuditSource
  /** A resource and a verb, such as `client_key.rotate`. */
  readonly action: string
  readonly subject: Subject
  readonly changes: Changes
}

/** An entry in the audit trail, as stored. */
export interface Audit extends Omit<AuditSource, 'actor'> {
  /** The entry's number. Numbers start at 1 and have no gaps. */
  readonly sequence: number
  readonly at: Date
  readonly actor: { readonly kind: string; readonly id: string; readonly name: string }
  readonly action: string
  readonly subject: { readonly type: string; readonly id: string }
  /** The changes, serialized as JSON. */
  readonly changes: string
  /** The hash of the previous entry, or 64 zeros for the first entry. */
  readonly previousHash: string
  /** The SHA-256 of all other fields, as 64 hexadecimal digits. */
  readonly hash: string
}

/** An entry that hasn't been added to the trail yet. */
export type UnchainedAudit = Omit<Audit, 'sequence' | 'previousHash' | 'hash'>

/** Returns the fields that differ between two states of a resource, with the values from both. */
export const differences = (
  before: Readonly<Record<string, unknown>>,
  after: Readonly<Record<string, unknown>>
): Changes =>
  Object.fromEntries(
    Object.entries(after)
      .filter(([field, to]) => JSON.stringify(before[field]) !== JSON.stringify(to))
      .map(([field, to]) => [field, { from: before[field], to }])
  )

/** Returns the fields of a new resource as changes. */
export const creation = (fields: Readonly<Record<string, unknown>>): Changes =>
  Object.fromEntries(Object.entries(fields).map(([field, to]) => [field, { to }]))
