import { readConfig } from '../config/read.ts'
import type { Environment } from '../config/read.ts'
import { loadSample } from '../db/load-sample.ts'
import { DATABASE_VARIABLES, openConfigured } from '../db/open.ts'
import { sample } from '../db/sample.ts'
import type { Storage } from '../db/storage.ts'
import type { PasswordHasher } from '../domain/users/passwords.ts'
import { newPassword } from './new-user.ts'
import { operatorContext } from './operator.ts'
import type { Terminal } from './terminal.ts'

/** Returns the URL of the separate database for sample data. */
export const sampleUrl = ({ cwd }: Pick<Terminal, 'cwd'>): string => `file:${cwd}/data/sample.db`

/** Opens a database for sample data, and marks it if it's new. Throws a ConfigError if it contains other data. */
export const openSample = async (env: Environment): Promise<Storage> =>
  await openConfigured(readConfig(env, [...DATABASE_VARIABLES]), { asSample: true })

/** The credentials of a user in the sample data. */
export interface SampleLogin {
  readonly email: string
  readonly password: string
}

/** Loads the sample data. Returns the users' new passwords, or null if the database already contains data. */
export const loadSampleData = async (
  storage: Storage,
  { hash }: Pick<PasswordHasher, 'hash'>
): Promise<readonly SampleLogin[] | null> => {
  const logins = sample.users.map(({ email }) => ({ email, password: newPassword() }))
  const hashes = new Map<string, string>()
  for (const { email, password } of logins) hashes.set(email, await hash(password))
  const hashOf = (email: string): string => String(hashes.get(email))
  return (await loadSample(storage, { sample, hashOf, context: operatorContext() })) ? logins : null
}

/** Returns table rows that show the users' credentials. */
export const loginRows = (logins: readonly SampleLogin[]): string[][] => [
  ['E-MAIL', 'PASSWORD'],
  ...logins.map(({ email, password }) => [email, password])
]

/** The hint to show if the passwords couldn't be printed. */
export const LOST_PASSWORDS = 'The sample data was loaded. To get new passwords, delete its database and load it again.'
