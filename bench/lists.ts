import { once } from 'node:events'
import { Agent, get } from 'node:http'
import type { IncomingMessage } from 'node:http'
import { json } from 'node:stream/consumers'
import { createAppDatabase } from './app-databases.ts'
import { startChild } from './child.ts'
import type { Child } from './child.ts'
import type { PlainListFunctions } from './plain-list.ts'
import type { ProberFunctions } from './prober.ts'
import { atMost, costOf, count, ratioRow } from './report.ts'
import type { Cost, Row } from './report.ts'
import { quantile, takeInRounds } from './rounds.ts'
import type { ServerFunctions } from './server.ts'
import type { Setup } from './setup.ts'

const SHORT = 1_000
const MIDDLE = 20_000
const LONG = 100_000
const LEAST_OF_PLAIN_SERVER = 1
const LEAST_OF_SHORTER_LIST = 0.7
const MAX_MEMORY_MIB = 60
const MAX_LATENCY_MS = 20

const SMALL_REQUESTS_FIRST = 200
const WARM_UP_ROUNDS = 2
// A short list is requested several times, because one request takes too little time to measure.
const LEAST_APPS_PER_MEASURE = 20_000
const MIB = 1024 * 1024
const MAX_MS = 30_000

/**
 * Compares the service's list of apps with that of a minimal server. Measures whether the time and memory per app
 * depend on the list's length, and whether the list delays other requests.
 */
export const measureLists = async (setup: Setup): Promise<Row[]> => {
  const { listRounds } = setup.plan
  const short = await serve(setup, SHORT)
  const middle = await serve(setup, MIDDLE)
  const long = await serve(setup, LONG)
  const costs = await takeInRounds(
    listRounds,
    {
      short: short.measure,
      plainShort: short.measurePlain,
      middle: middle.measure,
      plainMiddle: middle.measurePlain,
      long: long.measure
    },
    WARM_UP_ROUNDS
  )
  const prober = startChild<ProberFunctions>(setup, 'prober.ts')
  const latencies: number[] = []
  for (let round = 0; round < listRounds; round++) {
    await prober.call('begin', { url: `${long.origin}/up`, token: setup.credentials.clientToken })
    await read(long, '/apps')
    latencies.push(...(await prober.call('end')))
  }
  const growth = await long.server.call('memoryGrowth')
  for (const list of [short, middle, long]) await checkWhole(list)

  const plain = 'against `node:http`, `better-sqlite3` and `JSON.stringify`'
  return [
    { what: `\`GET /apps\`, ${count(SHORT)} apps`, result: costOf(costs.short, 'app') },
    ratioRow(plain, costs.short, costs.plainShort, LEAST_OF_PLAIN_SERVER),
    { what: `\`GET /apps\`, ${count(MIDDLE)} apps`, result: costOf(costs.middle, 'app') },
    ratioRow(plain, costs.middle, costs.plainMiddle, LEAST_OF_PLAIN_SERVER),
    { what: `\`GET /apps\`, ${count(LONG)} apps`, result: costOf(costs.long, 'app') },
    ratioRow(`against ${count(MIDDLE)} apps`, costs.long, costs.middle, LEAST_OF_SHORTER_LIST),
    atMost('– growth of resident memory', growth / MIB, MAX_MEMORY_MIB, 'MiB'),
    atMost('– a small request during a list, 99th percentile', quantile(latencies, 0.99), MAX_LATENCY_MS, 'ms')
  ]
}

interface Source {
  readonly origin: string
  readonly headers: Record<string, string>
  readonly agent: Agent
}

interface List extends Source {
  readonly apps: number
  readonly server: Child<ServerFunctions>
  readonly measure: () => Promise<Cost>
  readonly measurePlain: () => Promise<Cost>
}

/** Starts the service and a plain server, each with the given number of apps. */
const serve = async (setup: Setup, apps: number): Promise<List> => {
  const { credentials, folder, defer } = setup
  const { path } = await createAppDatabase(folder, apps)
  const server = startChild<ServerFunctions>(setup, 'server.ts')
  const plain = startChild<PlainListFunctions>(setup, 'plain-list.ts')
  const agent = new Agent({ keepAlive: true })
  defer(async () => {
    agent.destroy()
  })
  const headers = { authorization: `Bearer ${credentials.clientToken}` }
  const source = { headers, agent, origin: await server.call('listen', { url: `file:${path}`, credentials }) }
  const plainSource = { ...source, origin: await plain.call('listen', { path }) }
  // The memory that the first requests allocate doesn't count as growth.
  for (let i = 0; i < SMALL_REQUESTS_FIRST; i++) await read(source, '/up')
  await server.call('watchMemory')
  return {
    ...source,
    apps,
    server,
    measure: async () => await readMeasured(source, apps, async () => await server.call('processorTime')),
    measurePlain: async () => await readMeasured(plainSource, apps, async () => await plain.call('processorTime'))
  }
}

const readMeasured = async (source: Source, apps: number, processorTime: () => Promise<number>): Promise<Cost> => {
  const times = Math.ceil(LEAST_APPS_PER_MEASURE / apps)
  const cpu = await processorTime()
  const start = performance.now()
  for (let i = 0; i < times; i++) await read(source, '/apps')
  const milliseconds = performance.now() - start
  const total = apps * times
  return { throughput: (total / milliseconds) * 1000, cpu: ((await processorTime()) - cpu) / total }
}

const open = async ({ origin, headers, agent }: Source, path: string): Promise<IncomingMessage> => {
  const request = get(origin + path, { agent, headers, signal: AbortSignal.timeout(MAX_MS) })
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  if (response.statusCode !== 200) throw new Error(`GET ${path}: ${String(response.statusCode)}`)
  return response
}

/** Reads a response to the end and discards it. */
const read = async (source: Source, path: string): Promise<void> => {
  const response = await open(source, path)
  response.resume()
  await once(response, 'end')
}

const checkWhole = async (list: List): Promise<void> => {
  const apps: unknown = await json(await open(list, '/apps'))
  if (!Array.isArray(apps) || apps.length !== list.apps) throw new Error(`GET /apps did not return ${list.apps} apps`)
}
