import autocannon from 'autocannon'
import type { Child, StartChild } from './child.ts'
import type { Credentials } from './credentials.ts'
import type { BenchDatabase } from './databases.ts'
import { peers } from './peers.ts'
import type { Plan } from './plan.ts'
import { issueKey, withRegistry } from './registry.ts'
import { costOf, ratioRow } from './report.ts'
import type { Cost, Row } from './report.ts'
import { takeInRounds } from './rounds.ts'
import type { ServerAnswers } from './server.ts'

const CONNECTIONS = 10
const NUMBERS_OF_CONNECTIONS = [1, 4, 32, 100]
const MAX_SECONDS = 5

const LEAST_OF_OPEN_ROUTE = 0.95
const LEAST_OF_ONE_CONNECTION = 0.85

/** What it costs to ask for a client key, against asking for nothing and against two usual ways to ask. */
export const compareRoutes = async (
  plan: Plan,
  start: StartChild,
  database: BenchDatabase,
  credentials: Credentials
): Promise<Row[]> => {
  const managedToken = await withRegistry(
    database.path,
    credentials.clientSecret,
    async keys => (await issueKey(keys)).keyAccessToken
  )
  const server = start<ServerAnswers>('server.ts')
  const port = await server.ask('listen', { database: database.path, credentials })
  const load =
    (path: string, token?: string, connections = CONNECTIONS) =>
    async (): Promise<Cost> =>
      await loadRoute(server, `http://127.0.0.1:${port}${path}`, token === undefined ? [] : [token], {
        requests: plan.requestsARound,
        connections
      })
  const costs = await takeInRounds(
    plan.requestRounds,
    {
      noneAgain: load(peers.noneAgain),
      none: load(peers.none),
      environment: load(peers.clientKey, credentials.clientToken),
      managed: load(peers.clientKey, managedToken),
      bearerAuth: load(peers.bearerAuth, credentials.staticToken),
      jwt: load(peers.jwt, credentials.jwt),
      openApp: load(`${peers.openApps}/${database.appName}`),
      app: load(`/apps/${database.appName}`, managedToken)
    },
    plan.warmUpRounds
  )
  return rowsOf(costs, await compareByConnections(plan, load, managedToken))
}

type Load = (path: string, token?: string, connections?: number) => () => Promise<Cost>

/** What a managed key costs with each number of connections. */
const compareByConnections = async (plan: Plan, load: Load, managedToken: string): Promise<Row[]> => {
  const rows: Row[] = []
  for (const connections of NUMBERS_OF_CONNECTIONS) {
    const { none, managed } = await takeInRounds(
      plan.connectionRounds,
      {
        none: load(peers.none, undefined, connections),
        managed: load(peers.clientKey, managedToken, connections)
      },
      plan.warmUpRounds
    )
    const least = connections === 1 ? LEAST_OF_ONE_CONNECTION : LEAST_OF_OPEN_ROUTE
    rows.push(ratioRow(`against no credential, connections: ${connections}`, managed, none, least))
  }
  return rows
}

type Route = 'noneAgain' | 'none' | 'environment' | 'managed' | 'bearerAuth' | 'jwt' | 'openApp' | 'app'

const rowsOf = (costs: Readonly<Record<Route, readonly Cost[]>>, byConnections: readonly Row[]): Row[] => {
  const smallRoute = (kind: 'environment' | 'managed'): Row[] => [
    { what: `Small route, ${kind} key`, result: costOf(costs[kind], 'request') },
    ratioRow('against no credential', costs[kind], costs.none, LEAST_OF_OPEN_ROUTE),
    ratioRow('against `@fastify/bearer-auth`, static key', costs[kind], costs.bearerAuth, 1),
    ratioRow('against `fast-jwt`, HS256', costs[kind], costs.jwt, 1)
  ]
  return [
    { what: 'Small route, no credential', result: costOf(costs.none, 'request') },
    ratioRow('the same once more: the noise', costs.noneAgain, costs.none),
    ...smallRoute('environment'),
    ...smallRoute('managed'),
    ...byConnections,
    { what: '`GET /apps/:name`, managed key', result: costOf(costs.app, 'request') },
    ratioRow('against no credential', costs.app, costs.openApp),
    ratioRow('against the small route', costs.app, costs.managed)
  ]
}

/** Asks for a route again and again, with each of the tokens in turn; without any, with no credential. */
export const loadRoute = async (
  server: Child<ServerAnswers>,
  url: string,
  tokens: readonly string[],
  { requests, connections = CONNECTIONS }: { requests: number; connections?: number }
): Promise<Cost> => {
  let first = 0
  let last = 0
  const cpuBefore = await server.ask('cpu')
  const run = autocannon({
    url,
    requests:
      tokens.length === 0
        ? [{ headers: {} }]
        : tokens.map(token => ({ headers: { authorization: `Bearer ${token}` } })),
    connections,
    duration: MAX_SECONDS,
    maxOverallRequests: requests,
    sampleInt: 10
  })
  void run.on('start', () => {
    first = performance.now()
  })
  void run.on('response', () => {
    last = performance.now()
  })
  const { '2xx': good, non2xx, errors } = await run
  const cpu = (await server.ask('cpu')) - cpuBefore
  if (good === 0 || non2xx > 0 || errors > 0) {
    throw new Error(`${new URL(url).pathname}: ${good} good answers, ${non2xx} others, ${errors} errors`)
  }
  return { throughput: (good / (last - first)) * 1000, cpu: cpu / good }
}
