import { UserError } from '../config/user-error.ts'

/** A backup that was not made; the message says why. */
export class BackupError extends UserError {}

/** What tells whether two databases hold the same, without comparing every row. */
export interface Contents {
  /** Rows by table. */
  readonly rows: Readonly<Record<string, number>>
  /** The last entry of the audit trail, as `audit verify` prints it; null where there is none. */
  readonly head: string | null
}

/** Is told how many pages of the database are copied, of how many. */
export type OnPages = (copied: number, total: number) => void
