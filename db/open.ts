import { ConfigError } from '../config/read.ts'
import type { Config } from '../config/schema.ts'
import { UserError } from '../config/user-error.ts'
import type { BackgroundHooks } from '../domain/background.ts'
import { isPostgres } from '../net/database-url.ts'
import type { Contents, OnPages } from './backup.ts'
import { CopyError } from './copy.ts'
import type { Copied, CopyTarget, OnRows } from './copy.ts'
import type { Engine, StorageOptions } from './engine.ts'
import type { Storage } from './storage.ts'

// Imported dynamically, so that only the engine in use is loaded at startup.
const engineOf = async (url: string): Promise<Engine> =>
  isPostgres(url) ? (await import('./postgres/engine.ts')).postgres : (await import('./sqlite/engine.ts')).sqlite

/**
 * Opens the database at a `DATABASE_URL` and brings its tables up to date. Creates an SQLite file if it doesn't exist.
 * With `asSample`, a new database is marked as sample data. With `readOnly`, SQLite neither creates nor changes
 * anything. Throws a ConfigError if the database can't be opened.
 */
export const openStorage = async (url: string, options: StorageOptions = {}): Promise<Storage> => {
  const engine = await engineOf(url)
  return await engine.open(url, options).catch((error: unknown) => refuse(engine.nameOf(url), error))
}

const refuse = (name: string, error: unknown): never => {
  if (error instanceof UserError) throw error
  throw new ConfigError(`DATABASE_URL: the database ${name} can't be opened: ${messageOf(error)}`)
}

/** The variables that `openConfigured` reads. */
export const DATABASE_VARIABLES = [
  'DATABASE_URL',
  'DATABASE_CA',
  'DATABASE_LISTEN_URL',
  'DATABASE_POOL_SIZE',
  'KEY_LEASE_MS',
  'NODE_NAME',
  'ALLOW_COPIED_DATABASE'
] as const satisfies (keyof Config)[]

/** How a process uses its configured database. */
export interface Purpose {
  /** See `openStorage`. */
  readonly asSample?: boolean
  /** See `StorageOptions`. */
  readonly readOnly?: boolean
  /** The generations of the service's secrets, which are shown to other nodes. Undefined for commands. */
  readonly generations?: readonly string[]
  /** Reports failures of background work. By default, they aren't reported. */
  readonly background?: BackgroundHooks
}

/** Opens the configured database. Throws a ConfigError if it can't be opened. */
export const openConfigured = async (
  config: Readonly<Pick<Config, (typeof DATABASE_VARIABLES)[number]>>,
  { asSample = false, readOnly = false, generations, background }: Purpose = {}
): Promise<Storage> =>
  await openStorage(config.DATABASE_URL, {
    asSample,
    readOnly,
    allowCopied: config.ALLOW_COPIED_DATABASE,
    ca: given(config.DATABASE_CA),
    listenUrl: given(config.DATABASE_LISTEN_URL),
    poolSize: config.DATABASE_POOL_SIZE,
    leaseMs: config.KEY_LEASE_MS,
    name: given(config.NODE_NAME),
    generations,
    background
  })

/**
 * Returns the SQL statements that give a role the privileges to serve requests from the configured PostgreSQL database.
 * Throws a GrantsError if the role can't be given these privileges, or a ConfigError if the database can't be opened.
 */
export const writeGrants = async (
  { DATABASE_URL: url, ...config }: Readonly<Pick<Config, 'DATABASE_URL' | 'DATABASE_CA' | 'DATABASE_LISTEN_URL'>>,
  role: string
): Promise<string> => {
  const engine = await engineOf(url)
  const options = { ca: given(config.DATABASE_CA), listenUrl: given(config.DATABASE_LISTEN_URL) }
  return await engine.writeGrants(url, options, role).catch((error: unknown) => refuse(engine.nameOf(url), error))
}

const given = (text: string): string | undefined => (text === '' ? undefined : text)

// The innermost error contains the reason. The outer ones may contain a statement with its values. If all addresses of
// a host refuse the connection, there is one error per address, and the outer error has no message.
const messageOf = (error: unknown): string => {
  const { message, cause, errors = [] } = error as Partial<AggregateError>
  const inner: unknown = cause ?? errors[0]
  return inner === undefined ? String(message) : messageOf(inner)
}

/** Returns whether a database exists at a `DATABASE_URL`. It may belong to another program. */
export const databaseExists = async (url: string): Promise<boolean> => (await engineOf(url)).exists(url)

/**
 * Copies the database at a `DATABASE_URL` to a new file, and checks the copy. The database may be in use. Applies no
 * migrations. Throws a BackupError if the backup fails.
 */
export const backUp = async (url: string, file: string, onPages: OnPages): Promise<Contents> =>
  await (await engineOf(url)).backUp(url, file, onPages)

/**
 * Copies the database at a `DATABASE_URL` into an empty database of another engine, and compares the two. Resumes an
 * interrupted copy. No other process may use the source during the copy. Throws a CopyError if the copy fails.
 */
export const copyDatabase = async (url: string, target: CopyTarget, onRows: OnRows): Promise<Copied> => {
  const writer = await (await engineOf(target.url)).copyWriter()
  const source = (await engineOf(url)).openCopySource(url, writer.tables)
  try {
    return await writer.copyInto(source, target, onRows).catch(rethrowStop)
  } finally {
    source.close()
  }
}

const rethrowStop = (error: unknown): never => {
  if (error instanceof CopyError) throw error
  throw new CopyError(
    `The copy stopped: ${messageOf(error)}.`,
    'The copied rows are kept. Run this command again to continue.'
  )
}
