import { mkdtempSync, rmSync } from 'node:fs'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { makeCredentials } from './credentials.ts'
import { measureKeysInPostgres, measureOverPostgres } from './over-postgres.ts'
import { measureOverSqlite } from './over-sqlite.ts'
import type { Setup } from './over-sqlite.ts'
import { full, quick } from './plan.ts'
import { HOW_TO_READ, machine, table } from './report.ts'
import type { Row } from './report.ts'
import { dropDatabases } from './services.ts'

const MAX_MINUTES = 30
const QUIET_LOAD = 0.5

const {
  values: { quick: isQuick = false, nodes: isOnlyNodes = false, keys }
} = parseArgs({
  options: {
    quick: { type: 'boolean' },
    // Only what is measured over PostgreSQL.
    nodes: { type: 'boolean' },
    // Only tokens of managed keys, of which PostgreSQL has so many.
    keys: { type: 'string' }
  }
})

const folder = mkdtempSync(join(tmpdir(), 'trivial-api-bench-'))
process.on('exit', () => {
  rmSync(folder, { recursive: true, force: true })
})
const breakOff = (): void => {
  void dropDatabases().finally(() => process.exit(1))
}
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, breakOff)
setTimeout(() => {
  console.error(`The bench has not ended after ${MAX_MINUTES} minutes, so something hangs.`)
  breakOff()
}, MAX_MINUTES * 60_000).unref()

const say = (what: string): void => {
  console.error(`… ${what}`)
}

const load = (): string => (loadavg()[0] ?? 0).toFixed(1)

const loadBefore = load()
if (Number(loadBefore) > QUIET_LOAD) {
  say(`the machine is busy (load ${loadBefore}), so expect worse numbers and more noise`)
}

const measureAll = async (setup: Setup): Promise<Row[]> => [
  ...(isOnlyNodes ? [] : await measureOverSqlite(setup)),
  ...(await measureOverPostgres(setup))
]

const setup = { plan: isQuick ? quick : full, folder, credentials: makeCredentials(), say }
const rows = keys === undefined ? await measureAll(setup) : await measureKeysInPostgres(setup, Number(keys))
console.log(`${machine()}, load ${loadBefore} when it began${isQuick ? ', quick run' : ''}

${table(rows)}

${HOW_TO_READ}`)
