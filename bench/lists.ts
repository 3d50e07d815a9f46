import { once } from 'node:events'
import { Agent, get } from 'node:http'
import type { IncomingMessage } from 'node:http'
import { json } from 'node:stream/consumers'
import { makeAppDatabase } from './app-databases.ts'
import { startChild } from './child.ts'
import type { Child } from './child.ts'
import type { PlainListAnswers } from './plain-list.ts'
import type { ProberAnswers } from './prober.ts'
import { atMost, costOf, count, ratioRow } from './report.ts'
import type { Cost, Row } from './report.ts'
import { quantile, takeInRounds } from './rounds.ts'
import type { ServerAnswers } from './server.ts'
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
// A short list is asked for several times in a row, since it takes too little time by itself.
const LEAST_APPS_A_MEASURE = 20_000
const MIB = 1024 * 1024
const MAX_MS = 30_000

/**
 * What a list costs against the least that a server could do, whether it costs the same an app however long it is, in
 * time and memory, and whether it lets others have their answers.
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
  const prober = startChild<ProberAnswers>(setup, 'prober.ts')
  const latencies: number[] = []
  for (let round = 0; round < listRounds; round++) {
    await prober.ask('begin', { url: `${long.origin}/up`, token: setup.credentials.clientToken })
    await read(long, '/apps')
    latencies.push(...(await prober.ask('end')))
  }
  const growth = await long.server.ask('memoryGrowth')
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
    atMost('– a small request meanwhile, 99th percentile', quantile(latencies, 0.99), MAX_LATENCY_MS, 'ms')
  ]
}

interface Source {
  readonly origin: string
  readonly headers: Record<string, string>
  readonly agent: Agent
}

interface List extends Source {
  readonly apps: number
  readonly server: Child<ServerAnswers>
  readonly measure: () => Promise<Cost>
  readonly measurePlain: () => Promise<Cost>
}

/** Serves a list by the service and by a plain server. */
const serve = async (setup: Setup, apps: number): Promise<List> => {
  const { credentials, folder, defer } = setup
  const { path } = await makeAppDatabase(folder, apps)
  const server = startChild<ServerAnswers>(setup, 'server.ts')
  const plain = startChild<PlainListAnswers>(setup, 'plain-list.ts')
  const agent = new Agent({ keepAlive: true })
  defer(async () => {
    agent.destroy()
  })
  const headers = { authorization: `Bearer ${credentials.clientToken}` }
  const source = { headers, agent, origin: await server.ask('listen', { url: `file:${path}`, credentials }) }
  const plainSource = { ...source, origin: await plain.ask('listen', { path }) }
  // So that what grows later is not what every first request brings.
  for (let i = 0; i < SMALL_REQUESTS_FIRST; i++) await read(source, '/up')
  await server.ask('watchMemory')
  return {
    ...source,
    apps,
    server,
    measure: async () => await readMeasured(source, apps, async () => await server.ask('processorTime')),
    measurePlain: async () => await readMeasured(plainSource, apps, async () => await plain.ask('processorTime'))
  }
}

const readMeasured = async (source: Source, apps: number, processorTime: () => Promise<number>): Promise<Cost> => {
  const times = Math.ceil(LEAST_APPS_A_MEASURE / apps)
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

/** Reads a reply to its end, and keeps nothing of it. */
const read = async (source: Source, path: string): Promise<void> => {
  const response = await open(source, path)
  response.resume()
  await once(response, 'end')
}

const checkWhole = async (list: List): Promise<void> => {
  const apps: unknown = await json(await open(list, '/apps'))
  if (!Array.isArray(apps) || apps.length !== list.apps) throw new Error(`GET /apps has not sent ${list.apps} apps`)
}
