import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { measureAuditedChanges } from './audited-changes.ts'
import { createCredentials } from './credentials.ts'
import { measureLists } from './lists.ts'
import { full, quick } from './plan.ts'
import { findPostgres } from './postgres.ts'
import { measureReceipts } from './receipts.ts'
import { HOW_TO_READ, machine, table } from './report.ts'
import type { Row } from './report.ts'
import { endAll, withEnds } from './setup.ts'
import type { Setup } from './setup.ts'
import { measureSignIns } from './signing-in.ts'
import { measureSmallRoute } from './small-route.ts'
import { measureStart } from './start.ts'
import { measureTokens } from './tokens.ts'
import { measureUserLists } from './user-lists.ts'

const MAX_MINUTES = 30

const MEASURES: Readonly<Record<string, (setup: Setup) => Promise<Row[]>>> = {
  'small-route': measureSmallRoute,
  tokens: measureTokens,
  lists: measureLists,
  'user-lists': measureUserLists,
  'sign-ins': measureSignIns,
  receipts: measureReceipts,
  changes: measureAuditedChanges,
  start: measureStart
}

const names = Object.keys(MEASURES)
const {
  values: { quick: isQuick = false, only = names }
} = parseArgs({ options: { quick: { type: 'boolean' }, only: { type: 'string', multiple: true } } })
if (only.some(name => !names.includes(name))) throw new Error(`--only must be one of ${names.join(', ')}`)

const folder = mkdtempSync(join(tmpdir(), 'trivial-api-bench-'))
process.on('exit', () => {
  rmSync(folder, { recursive: true, force: true })
})
const abort = (): void => {
  void endAll().finally(() => process.exit(1))
}
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, abort)
setTimeout(() => {
  console.error(`The benchmarks did not end within ${MAX_MINUTES} minutes.`)
  abort()
}, MAX_MINUTES * 60_000).unref()

const load = (): string => (loadavg()[0] ?? 0).toFixed(1)

const loadBefore = load()
const plan = isQuick ? quick : full
const credentials = createCredentials()
const postgres = await findPostgres()
const rows: Row[] = []
for (const [name, measure] of Object.entries(MEASURES).filter(([name]) => only.includes(name))) {
  console.error(`… ${name}`)
  const own = join(folder, name)
  mkdirSync(own)
  try {
    rows.push(...(await withEnds(async defer => await measure({ plan, folder: own, credentials, postgres, defer }))))
  } catch (error) {
    // On a busy machine, a measurement can fail. The results of the others, which took minutes, are still reported.
    console.error(error)
    rows.push({ what: name, result: 'failed' })
    process.exitCode = 1
  }
}
console.log(`${machine()}, load ${loadBefore} before${isQuick ? ', quick run' : ''}

${table(rows)}

${HOW_TO_READ}`)
