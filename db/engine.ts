import type { BackgroundHooks } from '../domain/background.ts'
import type { Contents, OnPages } from './backup.ts'
import type { CopySource, CopyTable, CopyWriter } from './copy.ts'
import type { Storage } from './storage.ts'

/** How a database is opened: see config/schema.ts. Times are in milliseconds. An engine ignores what it can't use. */
export interface StorageOptions {
  /** Where the connection goes that listens and looks keys up, if not to the URL: past a pooler of transactions. */
  readonly listenUrl?: string | undefined
  /** The path of the certificates (PEM) of the authority that signed the server's. */
  readonly ca?: string | undefined
  /** At most how many connections are open for everything but look-ups. */
  readonly poolSize?: number | undefined
  /** For how long a node trusts what it remembers of keys without hearing from the database; 0: not at all. */
  readonly leaseMs?: number | undefined
  /** What the node is called in the list of nodes. */
  readonly name?: string | undefined
  /** Whether the database is for sample data: a new one is marked as that, and one with tables but no mark refused. */
  readonly asSample?: boolean | undefined
  /** Whether the database is only read: SQLite changes nothing then, the files beside it included. */
  readonly readOnly?: boolean | undefined
  /** Whether a database is changed that was copied to another one, which lacks the changes. */
  readonly allowCopied?: boolean | undefined
  /** Those of the secrets of the node, the current one first; none: the process is no node, such as a command. */
  readonly generations?: readonly string[] | undefined
  /** Reports what fails in the background; nothing does by default. */
  readonly background?: BackgroundHooks | undefined
}

/** What can be done with the databases of one engine, each named by its URL. */
export interface Engine {
  /** What messages call a database; nothing of it is secret. */
  readonly nameOf: (url: string) => string
  /** Opens a database and brings its tables up to date. */
  readonly open: (url: string, options: StorageOptions) => Promise<Storage>
  /** Whether there is a database; one that is there may still be no database of this program. */
  readonly exists: (url: string) => boolean
  /** Copies a database, which may be in use, to a new file, and checks the copy. Throws a BackupError. */
  readonly backUp: (url: string, file: string, onPages: OnPages) => Promise<Contents>
  /** Opens a database to be copied, table by table, for this process alone. Throws a CopyError. */
  readonly openCopySource: (url: string, tables: readonly CopyTable[]) => CopySource
  /** Writes the statements that give a role the rights to serve. Throws a GrantsError. */
  readonly writeGrants: (url: string, options: StorageOptions, role: string) => Promise<string>
  /** What writes a copy into a database. Throws a CopyError if nothing does. */
  readonly copyWriter: () => Promise<CopyWriter>
}
