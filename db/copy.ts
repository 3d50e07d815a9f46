import { UserError } from '../config/user-error.ts'
import type { Verification } from '../domain/audits/chain.ts'
import type { AuditHead, AuditReads } from '../domain/audits/rows.ts'
import { createAuditService } from '../domain/audits/service.ts'

/** A copy that was refused or has stopped; the message says why. */
export class CopyError extends UserError {}

/** What to do where a copy can't be gone on with. */
export const START_OVER = 'To start over, drop the target database, make it anew, and run this again.'

/** Is told how many rows are copied, of how many. */
export type OnRows = (copied: number, total: number) => void

/** How a column is kept: a digest is 64 hexadecimal digits in SQLite and bytes in PostgreSQL. */
export type ColumnKind = 'text' | 'integer' | 'boolean' | 'digest'

/** A table that is copied, which has the same columns in both databases. */
export interface CopyTable {
  readonly name: string
  readonly columns: readonly { readonly name: string; readonly kind: ColumnKind }[]
  /** The columns of its primary key, in order. */
  readonly key: readonly string[]
}

/** A value as SQLite gives it. */
export type CopyValue = string | bigint | null

/** The values of a row, in the order of the columns. */
export type CopyRow = readonly CopyValue[]

/** A database that is copied. Nobody else opens it meanwhile. */
export interface CopySource {
  /** What is other when anything was changed. */
  readonly fingerprint: string
  /** Rows by table. */
  readonly rows: Readonly<Record<string, number>>
  readonly head: AuditHead
  /** The last port that was given to an app. */
  readonly lastPort: bigint
  /** The last number that was given to a row, by table; of tables without such numbers, none. */
  readonly lastIds: Readonly<Record<string, bigint>>
  /** The rows of a table in the order of its key, after that of a row; null: from the first on. */
  readonly batches: (table: CopyTable, after: readonly string[] | null) => Iterable<CopyRow[]>
  readonly verify: () => Promise<Verification>
  /** Where it was copied to before; null: nowhere. */
  readonly copiedTo: string | null
  /**
   * Marks it as copied, so that no service goes on with it. Committed, and on the disk, when the call returns; nothing
   * is read of it later.
   */
  readonly markAsCopied: (target: string) => void
  readonly close: () => void
}

/** The database that is copied into: an URL that is not of a pooler, and `DATABASE_CA`. */
export interface CopyTarget {
  readonly url: string
  readonly ca?: string | undefined
}

/** What a copy has copied. */
export interface Copied {
  /** Rows by table, counted in both databases. */
  readonly rows: Readonly<Record<string, number>>
  /** What the audit trail is found to be, in both databases. */
  readonly trail: Verification
}

/** Writes copies into the databases of an engine. */
export interface CopyWriter {
  /** The tables that are copied row by row, in the order in which they are copied. */
  readonly tables: readonly CopyTable[]
  /**
   * Copies a database into an empty one, or goes on with a copy that was interrupted. No service opens the target until
   * all is there and was compared. Throws a CopyError.
   */
  readonly copyInto: (source: CopySource, target: CopyTarget, onRows: OnRows) => Promise<Copied>
}

/** Walks the audit trail of a database. */
export const verifyAudits = async (audits: AuditReads): Promise<Verification> =>
  await createAuditService({ read: async work => await work({ audits }) }).verify()
