import { mkdtempSync, rmSync } from 'node:fs'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { withChildren } from './child.ts'
import { makeCredentials } from './credentials.ts'
import { makeDatabase } from './databases.ts'
import { measureKeyChanges } from './key-changes.ts'
import { makeKeyDatabase } from './key-databases.ts'
import { measureManyKeys } from './many-keys.ts'
import { measureManagedTokens } from './managed-tokens.ts'
import { compareRoutes } from './load.ts'
import { compareMetrics } from './metrics.ts'
import { full, quick } from './plan.ts'
import { HOW_TO_READ, machine, table } from './report.ts'
import { measureSignIns, measureUserLists } from './signing-in.ts'
import { measureStart } from './start.ts'
import { measureStreaming } from './streaming.ts'
import { measureTokens } from './tokens.ts'

const MAX_MINUTES = 12
const QUIET_LOAD = 0.5

const {
  values: { quick: isQuick = false }
} = parseArgs({ options: { quick: { type: 'boolean' } } })
const plan = isQuick ? quick : full

const folder = mkdtempSync(join(tmpdir(), 'trivial-api-bench-'))
process.on('exit', () => {
  rmSync(folder, { recursive: true, force: true })
})
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))
setTimeout(() => {
  console.error(`The bench has not ended after ${MAX_MINUTES} minutes, so something hangs.`)
  process.exit(1)
}, MAX_MINUTES * 60_000).unref()

const say = (what: string): void => {
  console.error(`… ${what}`)
}

const [load = 0] = loadavg()
if (load > QUIET_LOAD) say(`the machine is busy (load ${load.toFixed(1)}), so expect worse numbers and more noise`)

const credentials = makeCredentials()
say('opening tokens')
const tokens = await measureTokens(plan)
say('making databases')
const databases = {
  short: await makeDatabase(folder, 1_000),
  middle: await makeDatabase(folder, 10_000),
  long: await makeDatabase(folder, 100_000)
}
const keyDatabases = {
  few: await makeKeyDatabase(folder, 1_000, credentials.clientSecret),
  many: await makeKeyDatabase(folder, 1_000_000, credentials.clientSecret)
}
say('opening tokens of managed keys')
const managedTokens = await withChildren(
  folder,
  async start => await measureManagedTokens(plan, start, folder, keyDatabases, credentials)
)
say('issuing and revoking keys')
const changes = await measureKeyChanges(plan, folder, keyDatabases.many, credentials)
say('many keys')
const manyKeys = await withChildren(
  folder,
  async start => await measureManyKeys(plan, start, folder, keyDatabases.many, credentials)
)
say('routes under load')
const routes = await withChildren(folder, async start => await compareRoutes(plan, start, databases.short, credentials))
say('metrics')
const metrics = await withChildren(
  folder,
  async start => await compareMetrics(plan, start, databases.short, credentials)
)
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

const rows = [
  ...routes,
  ...metrics,
  ...tokens,
  ...managedTokens,
  ...changes,
  ...manyKeys,
  ...streams,
  ...signIns,
  ...userLists,
  ...starts
]
console.log(`${machine()}${isQuick ? ', quick run' : ''}

${table(rows)}

${HOW_TO_READ}`)
