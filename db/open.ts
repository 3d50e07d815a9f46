import { existsSync } from 'node:fs'
import { ConfigError } from '../config/read.ts'
import type { Config } from '../config/schema.ts'
import type { BackgroundHooks } from '../domain/background.ts'
import type { PostgresOptions } from './postgres/settings.ts'
import { CopyError } from './copy.ts'
import type { Copied, OnRows } from './copy.ts'
import { BackupError, backUpSqlite } from './sqlite/backup.ts'
import type { Contents, OnProgress } from './sqlite/backup.ts'
import { openCopySource } from './sqlite/copy-source.ts'
import { openSqlite } from './sqlite/open.ts'
import type { Storage } from './storage.ts'
import { isPostgres, shownUrl, sqlitePathOf } from './url.ts'

/** What the databases of other engines are told besides their URL: see config/schema.ts. */
export type StorageOptions = Omit<PostgresOptions, 'url'>

/**
 * Opens the database of a `DATABASE_URL` and brings its tables up to date; an SQLite file is made where there is none.
 * With `asSample` it marks a new database as sample data. Throws a ConfigError where that can't be done.
 */
export const openStorage = async (url: string, options: StorageOptions = {}): Promise<Storage> => {
  try {
    return isPostgres(url) ? await openPostgres(url, options) : openSqlite(sqlitePathOf(url), options)
  } catch (error) {
    const database = isPostgres(url) ? shownUrl(url) : sqlitePathOf(url)
    throw new ConfigError(`DATABASE_URL: the database ${database} can't be opened: ${messageOf(error)}`)
  }
}

/** The variables that `openConfigured` reads. */
export const DATABASE_VARIABLES = [
  'DATABASE_URL',
  'DATABASE_CA',
  'DATABASE_LISTEN_URL',
  'DATABASE_POOL_SIZE',
  'KEY_LEASE_MS',
  'NODE_NAME'
] as const satisfies (keyof Config)[]

/** What a process does with the database of its configuration, beside using it. */
export interface Purpose {
  /** See `openStorage`. */
  readonly asSample?: boolean
  /** The generations of the secrets of a service, for other nodes to see; a command has none to show. */
  readonly generations?: readonly string[]
  /** Reports what fails in the background; nothing does by default. */
  readonly background?: BackgroundHooks
}

/** Opens the database of a configuration. Throws a ConfigError. */
export const openConfigured = async (
  config: Readonly<Pick<Config, (typeof DATABASE_VARIABLES)[number]>>,
  { asSample = false, generations, background }: Purpose = {}
): Promise<Storage> =>
  await openStorage(config.DATABASE_URL, {
    asSample,
    ca: given(config.DATABASE_CA),
    listenUrl: given(config.DATABASE_LISTEN_URL),
    poolSize: config.DATABASE_POOL_SIZE,
    leaseMs: config.KEY_LEASE_MS,
    name: given(config.NODE_NAME),
    generations,
    background
  })

const given = (text: string): string | undefined => (text === '' ? undefined : text)

// Loaded only where it is wanted, so that a start with SQLite takes no longer.
const openPostgres = async (url: string, options: StorageOptions): Promise<Storage> => {
  const postgres = await import('./postgres/open.ts')
  return await postgres.openPostgres({ url, ...options })
}

// A connection that is refused at each address of a host has no message of its own, but one for each.
const messageOf = (error: unknown): string =>
  [error]
    .concat((error as Partial<AggregateError>).errors)
    .map(each => String((each as Error | undefined)?.message))
    .filter(message => message !== '')
    .slice(0, 1)
    .join()

/** Whether there is a database at a `DATABASE_URL`; one that is there may still be no database of this program. */
export const databaseExists = (url: string): boolean => isPostgres(url) || existsSync(sqlitePathOf(url))

/**
 * Copies the database of a `DATABASE_URL`, which may be in use, to a new file, and checks the copy. It migrates
 * nothing. Throws a BackupError.
 */
export const backUp = async (url: string, file: string, onProgress: OnProgress): Promise<Contents> => {
  if (isPostgres(url)) {
    throw new BackupError('This command copies an SQLite database.', 'Back PostgreSQL up with pg_dump.')
  }
  return await backUpSqlite(sqlitePathOf(url), file, onProgress)
}

/** A PostgreSQL database that is copied into: an URL that is not of a pooler, and `DATABASE_CA`. */
export interface CopyTarget {
  readonly url: string
  readonly ca?: string | undefined
}

/**
 * Copies the database of a `DATABASE_URL`, which nobody may use meanwhile, into an empty PostgreSQL database, and
 * compares both; goes on where such a copy was interrupted. Throws a CopyError.
 */
export const copyDatabase = async (url: string, target: CopyTarget, onRows: OnRows): Promise<Copied> => {
  if (isPostgres(url)) {
    throw new CopyError('This command copies an SQLite database.', 'Copy PostgreSQL with pg_dump and pg_restore.')
  }
  const { COPY_TABLES, copyInto } = await import('./postgres/copy/copy.ts')
  const source = openCopySource(sqlitePathOf(url), COPY_TABLES)
  try {
    return await copyInto(source, target, onRows).catch(rethrowStop)
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
