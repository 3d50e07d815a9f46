import autocannon from 'autocannon'
import type { Child, StartChild } from './child.ts'
import type { Credentials } from './credentials.ts'
import type { BenchDatabase } from './databases.ts'
import { peers } from './peers.ts'
import type { Plan } from './plan.ts'
import { costOf, ratioRow } from './report.ts'
import type { Cost, Row } from './report.ts'
import { takeInRounds } from './rounds.ts'
import type { ServerAnswers } from './server.ts'

const CONNECTIONS = 10
const MAX_SECONDS = 5

const LEAST_OF_OPEN_ROUTE = 0.9

/** What it costs to ask for a client key, against asking for nothing and against two usual ways to ask. */
export const compareRoutes = async (plan: Plan, start: StartChild, database: BenchDatabase, credentials: Credentials): Promise<Row[]> => {
  const server = start<ServerAnswers>('server.ts')
  const port = await server.ask('listen', { database: database.path, credentials })
  const load = (path: string, token?: string) => async (): Promise<Cost> =>
    await loadRoute(server, `http://127.0.0.1:${port}${path}`, token, plan.requestsARound)

  const costs = await takeInRounds(plan.requestRounds, {
    noneAgain: load(peers.noneAgain),
    none: load(peers.none),
    clientKey: load(peers.clientKey, credentials.clientToken),
    bearerAuth: load(peers.bearerAuth, credentials.staticToken),
    jwt: load(peers.jwt, credentials.jwt),
    openApp: load(`${peers.openApps}/${database.appName}`),
    app: load(`/apps/${database.appName}`, credentials.clientToken)
  })

  return [
    { what: 'Small route, no credential', result: costOf(costs.none, 'request') },
    ratioRow('the same once more: the noise', costs.noneAgain, costs.none),
    { what: 'Small route, client key', result: costOf(costs.clientKey, 'request') },
    ratioRow('against no credential', costs.clientKey, costs.none, LEAST_OF_OPEN_ROUTE),
    ratioRow('against `@fastify/bearer-auth`, static key', costs.clientKey, costs.bearerAuth, 1),
    ratioRow('against `fast-jwt`, HS256', costs.clientKey, costs.jwt, 1),
    { what: '`GET /apps/:name`, client key', result: costOf(costs.app, 'request') },
    ratioRow('against no credential', costs.app, costs.openApp)
  ]
}

const loadRoute = async (server: Child<ServerAnswers>, url: string, token: string | undefined, requests: number): Promise<Cost> => {
  let first = 0
  let last = 0
  const cpuBefore = await server.ask('cpu')
  const run = autocannon({
    url,
    headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    connections: CONNECTIONS,
    duration: MAX_SECONDS,
    maxOverallRequests: requests,
    sampleInt: 10
  })
  run.on('start', () => { first = performance.now() })
  run.on('response', () => { last = performance.now() })
  const { '2xx': good, non2xx, errors } = await run
  const cpu = await server.ask('cpu') - cpuBefore
  if (good === 0 || non2xx > 0 || errors > 0) throw new Error(`${new URL(url).pathname}: ${good} good answers, ${non2xx} others, ${errors} errors`)
  return { throughput: good / (last - first) * 1000, cpu: cpu / good }
}
