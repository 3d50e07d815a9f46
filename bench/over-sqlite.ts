import { withChildren } from './child.ts'
import type { Credentials } from './credentials.ts'
import { makeDatabase } from './databases.ts'
import type { BenchDatabase } from './databases.ts'
import { measureKeyChanges } from './key-changes.ts'
import { makeKeyDatabase } from './key-databases.ts'
import { compareRoutes } from './load.ts'
import { measureManagedTokens } from './managed-tokens.ts'
import { measureManyKeys } from './many-keys.ts'
import { compareMetrics } from './metrics.ts'
import type { Plan } from './plan.ts'
import type { Row } from './report.ts'
import { measureSignIns, measureUserLists } from './signing-in.ts'
import { measureStart } from './start.ts'
import { measureStreaming } from './streaming.ts'
import { measureTokens } from './tokens.ts'

/** What every measure is given. */
export interface Setup {
  readonly plan: Plan
  /** A folder that is removed at the end. */
  readonly folder: string
  readonly credentials: Credentials
  readonly say: (what: string) => void
}

interface Databases {
  readonly short: BenchDatabase
  readonly middle: BenchDatabase
  readonly long: BenchDatabase
}

/** All that is measured over SQLite, or over no database. */
export const measureOverSqlite = async (setup: Setup): Promise<Row[]> => {
  const { folder, say } = setup
  const keys = await measureKeys(setup)
  say('making databases of apps')
  const databases = {
    short: await makeDatabase(folder, 1_000),
    middle: await makeDatabase(folder, 10_000),
    long: await makeDatabase(folder, 100_000)
  }
  return [...(await measureRoutes(setup, databases)), ...keys, ...(await measureRest(setup, databases))]
}

const measureKeys = async ({ plan, folder, credentials, say }: Setup): Promise<Row[]> => {
  say('opening tokens')
  const tokens = await measureTokens(plan)
  say('making databases of keys')
  const databases = {
    few: await makeKeyDatabase(folder, 1_000, credentials.clientSecret),
    many: await makeKeyDatabase(folder, 1_000_000, credentials.clientSecret)
  }
  say('opening tokens of managed keys')
  const managedTokens = await withChildren(
    folder,
    async start => await measureManagedTokens(plan, start, folder, databases, credentials)
  )
  say('issuing and revoking keys')
  const changes = await measureKeyChanges(plan, folder, databases.many, credentials)
  say('many keys')
  const manyKeys = await withChildren(
    folder,
    async start => await measureManyKeys(plan, start, folder, databases.many, credentials)
  )
  return [...tokens, ...managedTokens, ...changes, ...manyKeys]
}

const measureRoutes = async (
  { plan, folder, credentials, say }: Setup,
  { short }: Pick<Databases, 'short'>
): Promise<Row[]> => {
  say('routes under load')
  const routes = await withChildren(folder, async start => await compareRoutes(plan, start, short, credentials))
  say('metrics')
  const metrics = await withChildren(folder, async start => await compareMetrics(plan, start, short, credentials))
  return [...routes, ...metrics]
}

const measureRest = async ({ plan, folder, credentials, say }: Setup, databases: Databases): Promise<Row[]> => {
  say('streaming lists')
  const streams = await withChildren(folder, async start => await measureStreaming(plan, start, databases, credentials))
  say('signing in')
  const signIns = await withChildren(
    folder,
    async start => await measureSignIns(plan, start, databases.short, credentials)
  )
  const userLists = await measureUserLists(plan, databases.long)
  say('starting')
  const starts = await measureStart(plan, folder, credentials)
  return [...streams, ...signIns, ...userLists, ...starts]
}
