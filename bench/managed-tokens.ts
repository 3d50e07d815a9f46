import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { StartChild } from './child.ts'
import { compiled } from './compiled.ts'
import type { Credentials } from './credentials.ts'
import type { KeyDatabase } from './key-databases.ts'
import { microsecondsEach } from './opening.ts'
import type { BetterAuthAnswers } from './peers/better-auth.ts'
import type { Plan } from './plan.ts'
import { atMost, count, inUnit, timesRow } from './report.ts'
import type { Row } from './report.ts'
import { takeInRounds } from './rounds.ts'
import { median } from './statistics.ts'

const { openStorage } = await compiled('db/open.js')
const { createAuthenticator } = await compiled('domain/keys/authenticator.js')

const MAX_COLD_MICROSECONDS = 20
const LEAST_TIMES_AS_FAST = 200
const WARM_KEYS = 1_000
/** How many tokens come in one turn of the event loop where they share a look at the epoch. */
const TOGETHER = 10

export interface KeyDatabases {
  few: KeyDatabase
  many: KeyDatabase
}

type Measure = () => Promise<number>

/** What it takes to tell whose token of a managed key it is, without HTTP around it, and what it takes elsewhere. */
export const measureManagedTokens = async (
  plan: Plan,
  start: StartChild,
  folder: string,
  { few, many }: KeyDatabases,
  { clientSecret }: Credentials
): Promise<Row[]> => {
  const fewKeys = await openKeys(plan, few, clientSecret)
  const manyKeys = await openKeys(plan, many, clientSecret)
  const peer = await startPeer(plan, start, folder, few.keys)
  try {
    const taken = await takeInRounds(plan.tokenRounds, {
      fewCold: fewKeys.cold,
      fewWarm: fewKeys.warm,
      fewTogether: fewKeys.warmTogether,
      manyCold: manyKeys.cold,
      manyWarm: manyKeys.warm,
      manyTogether: manyKeys.warmTogether,
      peer: peer ?? (async () => NaN)
    })
    return [
      ...rowsOf(few, taken.fewCold, taken.fewWarm, taken.fewTogether),
      ...rowsOf(many, taken.manyCold, taken.manyWarm, taken.manyTogether),
      ...(peer === null
        ? [{ what: '`better-auth`, `verifyApiKey`', result: 'not installed: npm ci --prefix bench/peers' }]
        : [
            {
              what: `\`better-auth\`, \`verifyApiKey\`, ${count(few.keys)} keys`,
              result: inUnit(median(taken.peer), 'µs')
            },
            timesRow('to open a managed token seen before', taken.fewWarm, taken.peer, LEAST_TIMES_AS_FAST),
            timesRow('to open one never seen before', taken.fewCold, taken.peer)
          ])
    ]
  } finally {
    await fewKeys.close()
    await manyKeys.close()
  }
}

const rowsOf = (
  { keys }: KeyDatabase,
  cold: readonly number[],
  warm: readonly number[],
  together: readonly number[]
): Row[] => [
  atMost(`Open a managed token never seen before, ${count(keys)} keys`, median(cold), MAX_COLD_MICROSECONDS, 'µs'),
  { what: `Open a managed token seen before, ${count(keys)} keys`, result: inUnit(median(warm), 'µs', 2) },
  { what: `– ${TOGETHER} of them in one turn, each`, result: inUnit(median(together), 'µs', 2) },
  timesRow('against never seen before', warm, cold)
]

const openKeys = async (
  { tokensARound }: Plan,
  database: KeyDatabase,
  secret: string
): Promise<{ cold: Measure; warm: Measure; warmTogether: Measure; close: () => Promise<void> }> => {
  const storage = await openStorage(`file:${database.path}`)
  const options = { secret, lookup: storage.keyLookup }
  const authenticateCold = createAuthenticator(options)
  const authenticateWarm = createAuthenticator(options)
  const seen = database.unseen(WARM_KEYS)
  const again = Array.from({ length: tokensARound }, (_, i) => seen[i % seen.length] ?? '')
  await microsecondsEach(seen, authenticateWarm, 'ok')
  return {
    cold: async () => await microsecondsEach(database.unseen(tokensARound), authenticateCold, 'ok'),
    warm: async () => await microsecondsEach(again, authenticateWarm, 'ok'),
    warmTogether: async () => await microsecondsEach(again, authenticateWarm, 'ok', TOGETHER),
    close: storage.close
  }
}

/** The peer with as many keys; null where it is not installed. */
const startPeer = async (
  { verifiesARound }: Plan,
  start: StartChild,
  parent: string,
  keys: number
): Promise<Measure | null> => {
  if (!existsSync(new URL('peers/node_modules/better-auth/package.json', import.meta.url))) return null
  const folder = join(parent, 'better-auth')
  mkdirSync(folder)
  const peer = start<BetterAuthAnswers>('peers/better-auth.ts')
  await peer.ask('open', { folder, keys })
  await peer.ask('verify', { times: keys })
  return async () => await peer.ask('verify', { times: verifiesARound })
}
