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

/** The `DATABASE_URL` of the database that sample data has of its own. */
export const sampleUrl = ({ cwd }: Pick<Terminal, 'cwd'>): string => `file:${cwd}/data/sample.db`

/** Opens a database of sample data; a new one is marked as that. Throws a ConfigError if it is another. */
export const openSample = async (env: Environment): Promise<Storage> =>
  await openConfigured(readConfig(env, [...DATABASE_VARIABLES]), { asSample: true })

/** How a user of the sample signs in. */
export interface SampleLogin {
  readonly email: string
  readonly password: string
}

/** Loads the sample data, and returns the new passwords of its users; null if there was something already. */
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

/** The rows of a table of logins. */
export const loginRows = (logins: readonly SampleLogin[]): string[][] => [
  ['E-MAIL', 'PASSWORD'],
  ...logins.map(({ email, password }) => [email, password])
]

/** What to do if the passwords could not be written. */
export const LOST_PASSWORDS =
  'The sample data is loaded. To have other passwords, delete its database and load it again.'
