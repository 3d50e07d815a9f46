import { once } from 'node:events'
import { Agent, get } from 'node:http'
import type { IncomingMessage } from 'node:http'
import type { Child, StartChild } from './child.ts'
import type { Credentials } from './credentials.ts'
import type { BenchDatabase } from './databases.ts'
import type { FloorAnswers } from './floor.ts'
import type { Plan } from './plan.ts'
import type { ProberAnswers } from './prober.ts'
import { atMost, costOf, count, ratioRow } from './report.ts'
import type { Cost, Row } from './report.ts'
import { takeInRounds } from './rounds.ts'
import type { ServerAnswers } from './server.ts'
import { quantile } from './statistics.ts'

const LEAST_OF_SHORTER_LIST = 0.7
const MAX_MEMORY_MIB = 60
const MAX_LATENCY_MS = 20

const SMALL_REQUEST = '/up'
const SMALL_REQUESTS_FIRST = 200
// A short list is asked for several times in a row, since it takes too little time by itself.
const LEAST_APPS_A_MEASURE = 20_000
const MIB = 1024 * 1024
const MAX_MS = 30_000

export interface Databases {
  short: BenchDatabase
  middle: BenchDatabase
  long: BenchDatabase
}

/** Whether a list costs the same an app however long it is, in time and memory, and lets others have their answers. */
export const measureStreaming = async (
  plan: Plan,
  start: StartChild,
  databases: Databases,
  credentials: Credentials
): Promise<Row[]> => {
  const floor = start<FloorAnswers>('floor.ts')
  const prober = start<ProberAnswers>('prober.ts')
  const short = await serve(start<ServerAnswers>('server.ts'), databases.short, credentials)
  const middle = await serve(start<ServerAnswers>('server.ts'), databases.middle, credentials)
  const long = await serve(start<ServerAnswers>('server.ts'), databases.long, credentials)

  const costs = await takeInRounds(plan.streamRounds, {
    short: async () => await readMeasured(short),
    shortFloor: async () => await measureFloor(floor, databases.short),
    middle: async () => await readMeasured(middle),
    middleFloor: async () => await measureFloor(floor, databases.middle),
    long: async () => await readMeasured(long),
    longFloor: async () => await measureFloor(floor, databases.long)
  })
  const latencies: number[] = []
  for (let round = 0; round < plan.streamRounds; round++) latencies.push(...(await probeMeanwhile(prober, long)))
  const growth = await long.server.ask('memoryGrowth')
  for (const list of [short, middle, long]) await checkWhole(list)

  const against = 'against `better-sqlite3` and `JSON.stringify` at once'
  const latency = quantile(latencies, 0.99)
  return [
    { what: title(short), result: costOf(costs.short, 'app') },
    ratioRow(against, costs.short, costs.shortFloor),
    { what: title(middle), result: costOf(costs.middle, 'app') },
    ratioRow(against, costs.middle, costs.middleFloor),
    { what: title(long), result: costOf(costs.long, 'app') },
    ratioRow(against, costs.long, costs.longFloor),
    ratioRow(`against ${count(middle.database.apps)} apps`, costs.long, costs.middle, LEAST_OF_SHORTER_LIST),
    atMost('– growth of resident memory', growth / MIB, MAX_MEMORY_MIB, 'MiB'),
    atMost('– a small request meanwhile, 99th percentile', latency, MAX_LATENCY_MS, 'ms')
  ]
}

/** A list that a server of its own serves. */
interface List {
  server: Child<ServerAnswers>
  database: BenchDatabase
  url: string
  token: string
  agent: Agent
}

const title = ({ database }: List): string => `\`GET /apps\`, ${count(database.apps)} apps`

const serve = async (
  server: Child<ServerAnswers>,
  database: BenchDatabase,
  credentials: Credentials
): Promise<List> => {
  const port = await server.ask('listen', { database: database.path, credentials })
  const list = {
    server,
    database,
    url: `http://127.0.0.1:${port}`,
    token: credentials.clientToken,
    agent: new Agent({ keepAlive: true })
  }
  // So that what grows later is not what every first request brings.
  for (let i = 0; i < SMALL_REQUESTS_FIRST; i++) await read(list, SMALL_REQUEST)
  await server.ask('watchMemory')
  return list
}

const open = async ({ url, token, agent }: List, path: string): Promise<IncomingMessage> => {
  const request = get(url + path, {
    agent,
    headers: { authorization: `Bearer ${token}` },
    signal: AbortSignal.timeout(MAX_MS)
  })
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  if (response.statusCode !== 200) throw new Error(`GET ${path} answered ${response.statusCode}`)
  return response
}

/** Reads an answer to its end, keeps nothing of it, and tells its length in bytes. */
const read = async (list: List, path: string): Promise<number> => {
  let bytes = 0
  for await (const chunk of await open(list, path)) bytes += (chunk as Buffer).length
  return bytes
}

const readMeasured = async (list: List): Promise<Cost> => {
  const times = timesFor(list.database)
  const cpu = await list.server.ask('cpu')
  const start = performance.now()
  for (let i = 0; i < times; i++) await read(list, '/apps')
  const milliseconds = performance.now() - start
  return costEach(list.database.apps * times, milliseconds, (await list.server.ask('cpu')) - cpu)
}

const measureFloor = async (floor: Child<FloorAnswers>, { path, apps }: BenchDatabase): Promise<Cost> => {
  const times = timesFor({ apps })
  const { milliseconds, cpu } = await floor.ask('write', { database: path, apps, times })
  return costEach(apps * times, milliseconds, cpu)
}

const timesFor = ({ apps }: Pick<BenchDatabase, 'apps'>): number => Math.ceil(LEAST_APPS_A_MEASURE / apps)

const costEach = (apps: number, milliseconds: number, cpu: number): Cost => ({
  throughput: (apps / milliseconds) * 1000,
  cpu: cpu / apps
})

const probeMeanwhile = async (prober: Child<ProberAnswers>, list: List): Promise<number[]> => {
  await prober.ask('begin', { url: list.url + SMALL_REQUEST })
  await read(list, '/apps')
  return await prober.ask('end')
}

const checkWhole = async (list: List): Promise<void> => {
  const pieces: Buffer[] = []
  for await (const chunk of await open(list, '/apps')) pieces.push(chunk as Buffer)
  const apps: unknown = JSON.parse(Buffer.concat(pieces).toString())
  if (!Array.isArray(apps) || apps.length !== list.database.apps) {
    throw new Error(`GET /apps has not answered ${list.database.apps} apps`)
  }
}
