import { once } from 'node:events'
import { Agent, get } from 'node:http'
import type { IncomingMessage } from 'node:http'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import type { Child, StartChild } from './child.ts'
import type { Credentials } from './credentials.ts'
import type { IssuerAnswers } from './issuer.ts'
import type { KeyDatabase } from './key-databases.ts'
import { loadRoute } from './load.ts'
import { peers } from './peers.ts'
import type { Plan } from './plan.ts'
import { costOf, count, inUnit, ratioRow } from './report.ts'
import type { Cost, Row } from './report.ts'
import { takeInRounds } from './rounds.ts'
import type { ServerAnswers } from './server.ts'
import { median } from './statistics.ts'

const CLIENTS = 100
const REQUESTS_FIRST = 5_000
const CONNECTIONS = 10
// What is seen of keys is written down every second.
const WRITTEN_AFTER_MS = 2_000
const MIB = 1024 * 1024

/** A service with many keys: its memory, and what it costs where another process issues keys all the time. */
export const measureManyKeys = async (
  plan: Plan,
  start: StartChild,
  folder: string,
  database: KeyDatabase,
  credentials: Credentials
): Promise<Row[]> => {
  const server = start<ServerAnswers>('server.ts')
  const port = await server.ask('listen', { database: database.path, credentials })
  const url = `http://127.0.0.1:${port}${peers.clientKey}`
  const tokens = database.unseen(CLIENTS)
  const load = async (requests = plan.requestsARound): Promise<Cost> =>
    await loadRoute(server, url, tokens, { requests })
  // So that what grows later is not what every first request brings.
  await load(REQUESTS_FIRST)
  return [
    ...(await measureMemory(plan, server, url, database)),
    ...(await measureIssuing(plan, start, folder, load, database, credentials))
  ]
}

/** The memory of a service, and how it grows while many different keys ask for a URL. */
export const measureMemory = async (
  { differentKeys }: Plan,
  server: Child<ServerAnswers>,
  url: string,
  { keys, tokenOf }: Pick<KeyDatabase, 'keys' | 'tokenOf'>
): Promise<Row[]> => {
  const before = await server.ask('memory')
  await server.ask('watchMemory')
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS })
  // Each of the connections takes every tenth key; the keys lie as far from each other as can be.
  const numbers = Array.from({ length: differentKeys }, (_, i) => Math.floor((i * keys) / differentKeys))
  await Promise.all(
    Array.from({ length: CONNECTIONS }, async (_, connection) => {
      for (let i = connection; i < numbers.length; i += CONNECTIONS) await ask(url, agent, tokenOf(numbers[i] ?? 0))
    })
  )
  await setTimeout(WRITTEN_AFTER_MS)
  agent.destroy()
  return [
    { what: `Resident memory, ${count(keys)} keys`, result: inUnit(before / MIB, 'MiB') },
    {
      what: `– growth while ${count(differentKeys)} of them ask`,
      result: inUnit((await server.ask('memoryGrowth')) / MIB, 'MiB')
    }
  ]
}

const ask = async (url: string, agent: Agent, token: string): Promise<void> => {
  const request = get(url, { agent, headers: { authorization: `Bearer ${token}` } })
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  response.resume()
  await once(response, 'end')
  if (response.statusCode !== 200) throw new Error(`a key of the bench was answered ${response.statusCode}`)
}

/**
 * Keys are also issued in a database that nobody serves: what that costs is the machine's part, the rest is the
 * epoch's.
 */
const measureIssuing = async (
  plan: Plan,
  start: StartChild,
  folder: string,
  load: () => Promise<Cost>,
  database: KeyDatabase,
  credentials: Credentials
): Promise<Row[]> => {
  const issuer = start<IssuerAnswers>('issuer.ts')
  const rates: number[] = []
  const whileIssuing = (path: string) => async (): Promise<Cost> => {
    await issuer.ask('begin', { database: path, secret: credentials.clientSecret })
    const cost = await load()
    rates.push(await issuer.ask('end'))
    return cost
  }
  const costs = await takeInRounds(plan.issuingRounds, {
    quiet: async () => await load(),
    elsewhere: whileIssuing(join(folder, 'elsewhere.db')),
    here: whileIssuing(database.path)
  })
  return [
    {
      what: `Small route, ${count(CLIENTS)} managed keys of ${count(database.keys)}`,
      result: costOf(costs.quiet, 'request')
    },
    {
      what: '– while another process issues keys',
      result: `${costOf(costs.here, 'request')}, ${count(median(rates))} keys/s`
    },
    ratioRow('against none issued', costs.here, costs.quiet),
    ratioRow('against as many issued in another database', costs.here, costs.elsewhere)
  ]
}
