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

// Loaded only where it is wanted, so that a start takes no longer for the other one.
const engineOf = async (url: string): Promise<Engine> =>
  isPostgres(url) ? (await import('./postgres/engine.ts')).postgres : (await import('./sqlite/engine.ts')).sqlite

/**
 * Opens the database of a `DATABASE_URL` and brings its tables up to date; an SQLite file is made where there is none.
 * With `asSample` it marks a new database as sample data, and with `readOnly` SQLite does none of this. Throws a
 * ConfigError where that can't be done.
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

/** What a process does with the database of its configuration, beside using it. */
export interface Purpose {
  /** See `openStorage`. */
  readonly asSample?: boolean
  /** See `StorageOptions`. */
  readonly readOnly?: boolean
  /** The generations of the secrets of a service, for other nodes to see; a command has none to show. */
  readonly generations?: readonly string[]
  /** Reports what fails in the background; nothing does by default. */
  readonly background?: BackgroundHooks
}

/** Opens the database of a configuration. Throws a ConfigError. */
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
 * Writes the statements that give a role the rights to serve from the PostgreSQL database of a configuration. Throws a
 * GrantsError or a ConfigError.
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

// The reason is innermost: what wraps it may name a statement with its values. A connection that is refused at each
// address of a host has no message of its own, but one for each.
const messageOf = (error: unknown): string => {
  const { message, cause, errors = [] } = error as Partial<AggregateError>
  const inner: unknown = cause ?? errors[0]
  return inner === undefined ? String(message) : messageOf(inner)
}

/** Whether there is a database at a `DATABASE_URL`; one that is there may still be no database of this program. */
export const databaseExists = async (url: string): Promise<boolean> => (await engineOf(url)).exists(url)

/**
 * Copies the database of a `DATABASE_URL`, which may be in use, to a new file, and checks the copy. It migrates
 * nothing. Throws a BackupError.
 */
export const backUp = async (url: string, file: string, onPages: OnPages): Promise<Contents> =>
  await (await engineOf(url)).backUp(url, file, onPages)

/**
 * Copies the database of a `DATABASE_URL`, which nobody may use meanwhile, into an empty one of another engine, and
 * compares both; goes on where such a copy was interrupted. Throws a CopyError.
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
    `The copy has stopped: ${messageOf(error)}.`,
    'What is copied stays. Run this again, and it goes on from there.'
  )
}
