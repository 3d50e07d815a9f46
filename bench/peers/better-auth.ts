import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { answerParent } from '../child.ts'

// A process of its own: what a key costs elsewhere, where an API key is a row that every use of it reads once and
// writes twice.

interface Options {
  database: Database.Database
  baseURL: string
  secret: string
  emailAndPassword: { enabled: true }
  plugins: unknown[]
  telemetry: { enabled: false }
  logger: { disabled: true }
}

interface Api {
  signUpEmail: (request: {
    body: { name: string; email: string; password: string }
  }) => Promise<{ user: { id: string } }>
  createApiKey: (request: { body: { userId: string; rateLimitEnabled: false } }) => Promise<{ key: string }>
  verifyApiKey: (request: { body: { key: string } }) => Promise<{ valid: boolean }>
}

/** The few things of each package that the bench uses. */
interface Packages {
  'better-auth': { betterAuth: (options: Options) => { api: Api } }
  'better-auth/db/migration': { getMigrations: (options: Options) => Promise<{ runMigrations: () => Promise<void> }> }
  '@better-auth/api-key': { apiKey: (options: { rateLimit: { enabled: false } }) => unknown }
}

// Not a literal, so that types can be checked where the packages of this folder are not installed.
const installed = async <Name extends keyof Packages>(name: Name): Promise<Packages[Name]> =>
  (await import(name)) as Packages[Name]

const { betterAuth } = await installed('better-auth')
const { getMigrations } = await installed('better-auth/db/migration')
const { apiKey } = await installed('@better-auth/api-key')

interface Opened {
  api: Api
  keys: string[]
  close: () => void
}

const openIn = async (folder: string, count: number): Promise<Opened> => {
  const database = new Database(join(folder, 'better-auth.db'))
  try {
    database.pragma('journal_mode = WAL')
    const options: Options = {
      database,
      // Never asked for anything: without one, it is looked for in the environment.
      baseURL: 'http://127.0.0.1',
      secret: randomBytes(32).toString('base64'),
      emailAndPassword: { enabled: true },
      // A limit would refuse the bench after ten uses of a key.
      plugins: [apiKey({ rateLimit: { enabled: false } })],
      telemetry: { enabled: false },
      logger: { disabled: true }
    }
    const { runMigrations } = await getMigrations(options)
    await runMigrations()
    const { api } = betterAuth(options)
    return {
      api,
      keys: await makeKeys(api, count),
      close: () => {
        database.close()
      }
    }
  } catch (error) {
    database.close()
    throw error
  }
}

const makeKeys = async (api: Api, count: number): Promise<string[]> => {
  const password = randomBytes(16).toString('hex')
  const { user } = await api.signUpEmail({ body: { name: 'Bench', email: 'bench@example.com', password } })
  const keys: string[] = []
  while (keys.length < count) {
    const { key } = await api.createApiKey({ body: { userId: user.id, rateLimitEnabled: false } })
    keys.push(key)
  }
  return keys
}

let opened: Opened | null = null

const inUse = (): Opened => {
  if (opened === null) throw new Error('better-auth is asked before it is open')
  return opened
}

const answers = {
  /** Makes a database in a folder, with one user and that many keys. */
  open: async ({ folder, keys }: { folder: string; keys: number }): Promise<void> => {
    opened = await openIn(folder, keys)
  },

  /** Verifies one key after another, `times` times in all. How long each took, in µs. */
  verify: async ({ times }: { times: number }): Promise<number> => {
    const { api, keys } = inUse()
    let valid = 0
    const start = performance.now()
    for (let i = 0; i < times; i++) {
      const answer = await api.verifyApiKey({ body: { key: keys[i % keys.length] ?? '' } })
      if (answer.valid) valid++
    }
    const milliseconds = performance.now() - start
    if (valid !== times) throw new Error(`better-auth refused ${times - valid} good keys`)
    return (milliseconds * 1000) / times
  },

  close: (): void => {
    inUse().close()
    opened = null
  }
}

export type BetterAuthAnswers = typeof answers

answerParent(answers)
