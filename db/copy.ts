import { UserError } from '../config/user-error.ts'
import type { Verification } from '../domain/audits/chain.ts'
import type { AuditHead, AuditReads } from '../domain/audits/rows.ts'
import { createAuditService } from '../domain/audits/service.ts'

/** Thrown if a copy is refused or stops. The message contains the reason. */
export class CopyError extends UserError {}

/** The hint for a copy that can't be resumed. */
export const START_OVER = 'To start over, drop the target database, create it again, and run this command again.'

/** Receives the number of rows copied so far and the total number of rows. */
export type OnRows = (copied: number, total: number) => void

/** The type of a column. A digest is stored as 64 hexadecimal digits in SQLite and as bytes in PostgreSQL. */
export type ColumnKind = 'text' | 'integer' | 'boolean' | 'digest'

/** A table to copy. It has the same columns in both databases. */
export interface CopyTable {
  readonly name: string
  readonly columns: readonly { readonly name: string; readonly kind: ColumnKind }[]
  /** The columns of its primary key, in order. */
  readonly key: readonly string[]
}

/** A value as read from SQLite. */
export type CopyValue = string | bigint | null

/** The values of a row, in the order of the columns. */
export type CopyRow = readonly CopyValue[]

/** A database to copy. No other process can use it until it's closed. */
export interface CopySource {
  /** A hash that changes when the data changes. */
  readonly fingerprint: string
  /** The number of rows in each table. */
  readonly rows: Readonly<Record<string, number>>
  readonly head: AuditHead
  /** The last port that was assigned to an app. */
  readonly lastPort: bigint
  /** The last id that was assigned in each table. Tables without generated ids are omitted. */
  readonly lastIds: Readonly<Record<string, bigint>>
  /**
   * Reads the rows of a table in the order of its key, starting after the key `after`, or at the first row if it's
   * null.
   */
  readonly batches: (table: CopyTable, after: readonly string[] | null) => Iterable<CopyRow[]>
  readonly verify: () => Promise<Verification>
  /** The target of an earlier copy, or null if there was none. */
  readonly copiedTo: string | null
  /**
   * Marks the database as copied, so that no service continues to use it. The mark is committed and on disk when the
   * call returns. After that, the database isn't read again.
   */
  readonly markAsCopied: (target: string) => void
  readonly close: () => void
}

/** The database to copy into. The URL must not be a pooler's. `ca` is the value of `DATABASE_CA`. */
export interface CopyTarget {
  readonly url: string
  readonly ca?: string | undefined
}

/** The result of a copy. */
export interface Copied {
  /** The number of rows in each table, as counted in both databases. */
  readonly rows: Readonly<Record<string, number>>
  /** The result of verifying the audit trail, which is the same in both databases. */
  readonly trail: Verification
}

/** Copies data into the databases of one engine. */
export interface CopyWriter {
  /** The tables to copy row by row, in this order. */
  readonly tables: readonly CopyTable[]
  /**
   * Copies the source into an empty target, or resumes an interrupted copy. No service can open the target until
   * everything has been copied and compared. Throws a CopyError if the copy is refused or stops.
   */
  readonly copyInto: (source: CopySource, target: CopyTarget, onRows: OnRows) => Promise<Copied>
}

/** Verifies an audit trail. */
export const verifyAudits = async (audits: AuditReads): Promise<Verification> =>
  await createAuditService({ read: async work => await work({ audits }) }).verify()
