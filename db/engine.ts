import type { BackgroundHooks } from '../domain/background.ts'
import type { Contents, OnPages } from './backup.ts'
import type { CopySource, CopyTable, CopyWriter } from './copy.ts'
import type { Storage } from './storage.ts'

/**
 * The options for opening a database; see config/schema.ts. Times are in milliseconds. Engines ignore options that
 * don't apply to them.
 */
export interface StorageOptions {
  /**
   * The URL for the connection that listens for changes and looks up keys, if it differs from the main URL. It must
   * bypass any transaction pooler.
   */
  readonly listenUrl?: string | undefined
  /** The path of a PEM file with the certificates of the CA that signed the server's certificate. */
  readonly ca?: string | undefined
  /** The maximum number of open connections, apart from those for lookups. */
  readonly poolSize?: number | undefined
  /** How long a node trusts its cached keys without hearing from the database. If 0, it doesn't trust them at all. */
  readonly leaseMs?: number | undefined
  /** The name of the node in the list of nodes. */
  readonly name?: string | undefined
  /**
   * Whether the database is for sample data. A new database is marked as such. A database that has tables but isn't
   * marked is rejected.
   */
  readonly asSample?: boolean | undefined
  /**
   * Whether to open the database for reading only. SQLite then changes nothing, not even the files next to the
   * database.
   */
  readonly readOnly?: boolean | undefined
  /** Whether to allow changes to a database that has been copied to another one. The copy doesn't get these changes. */
  readonly allowCopied?: boolean | undefined
  /**
   * The generations of the node's secrets, the current one first. Undefined for processes that aren't nodes, such as
   * commands.
   */
  readonly generations?: readonly string[] | undefined
  /** Reports failures of background work. By default, they aren't reported. */
  readonly background?: BackgroundHooks | undefined
}

/** The operations on the databases of one engine. A database is identified by its URL. */
export interface Engine {
  /** Returns a database's name for messages. It contains no secrets. */
  readonly nameOf: (url: string) => string
  /** Opens a database and brings its tables up to date. */
  readonly open: (url: string, options: StorageOptions) => Promise<Storage>
  /** Returns whether the database exists. It may belong to another program. */
  readonly exists: (url: string) => boolean
  /** Copies a database, which may be in use, to a new file, and checks the copy. Throws a BackupError on failure. */
  readonly backUp: (url: string, file: string, onPages: OnPages) => Promise<Contents>
  /** Opens a database with exclusive access, to copy its tables. Throws a CopyError if it can't be copied. */
  readonly openCopySource: (url: string, tables: readonly CopyTable[]) => CopySource
  /**
   * Returns the SQL statements that give a role the privileges to serve requests. Throws a GrantsError if the role
   * can't be given these privileges.
   */
  readonly writeGrants: (url: string, options: StorageOptions, role: string) => Promise<string>
  /** Returns the writer that copies data into databases of this engine. Throws a CopyError if the engine has none. */
  readonly copyWriter: () => Promise<CopyWriter>
}
