import { UserError } from '../config/user-error.ts'

/** Thrown if a backup fails. The message contains the reason. */
export class BackupError extends UserError {}

/** A summary of a database, with which two databases can be compared without comparing every row. */
export interface Contents {
  /** The number of rows in each table. */
  readonly rows: Readonly<Record<string, number>>
  /** The last entry of the audit trail, as `audit verify` prints it, or null if there is none. */
  readonly head: string | null
}

/** Receives the number of pages copied so far and the total number of pages. */
export type OnPages = (copied: number, total: number) => void
