import autocannon from 'autocannon'
import { join } from 'node:path'
import type { Child } from './child.ts'
import { startChild } from './child.ts'
import { peers } from './peers.ts'
import { createDatabase, NO_POSTGRES } from './postgres.ts'
import { costOf, ratioRow } from './report.ts'
import type { Cost, Row } from './report.ts'
import { takeInRounds } from './rounds.ts'
import type { ServerFunctions } from './server.ts'
import type { Setup } from './setup.ts'

const CONNECTIONS = 10
const NUMBERS_OF_CONNECTIONS = [1, 4, 32, 100]
const MAX_SECONDS = 5

const LEAST_OF_NO_CREDENTIAL = 0.95
const LEAST_OF_ONE_CONNECTION = 0.85
/** Allows at most 5 % more processor time. */
const LEAST_OF_NO_METRICS = 1 / 1.05

/** Compares authentication with a client key to no authentication and to two common types of authentication. */
export const measureSmallRoute = async (setup: Setup): Promise<Row[]> => {
  const { plan, credentials, folder, postgres } = setup
  const sqlite = await serve(setup, `file:${join(folder, 'without-metrics.db')}`)
  const metrics = await serve(setup, `file:${join(folder, 'with-metrics.db')}`, { METRICS_PORT: '0' })
  const { environment, managed, ...others } = await takeInRounds(
    plan.requestRounds,
    {
      noneAgain: sqlite.load('noneAgain'),
      none: sqlite.load('none'),
      environment: sqlite.load('clientKey', { token: credentials.clientToken }),
      managed: sqlite.load('clientKey', { token: sqlite.token }),
      metrics: metrics.load('clientKey', { token: metrics.token }),
      bearerAuth: sqlite.load('bearerAuth', { token: credentials.staticToken }),
      jwt: sqlite.load('jwt', { token: credentials.jwt })
    },
    plan.warmUpRounds
  )
  const against = (ours: readonly Cost[]): Row[] => [
    ratioRow('against no credential', ours, others.none, LEAST_OF_NO_CREDENTIAL),
    ratioRow('against `@fastify/bearer-auth`, static key', ours, others.bearerAuth, 1),
    ratioRow('against `fast-jwt`, HS256', ours, others.jwt, 1)
  ]
  return [
    { what: 'Small route, no credential', result: costOf(others.none, 'request') },
    ratioRow('the same again: the noise', others.noneAgain, others.none),
    { what: 'Small route, environment key', result: costOf(environment, 'request') },
    ...against(environment),
    { what: 'Small route, managed key', result: costOf(managed, 'request') },
    ...against(managed),
    { what: 'Small route, managed key, with metrics', result: costOf(others.metrics, 'request') },
    ratioRow('against no metrics', others.metrics, managed, LEAST_OF_NO_METRICS),
    ...(await compareByConnections(setup, 'SQLite', sqlite)),
    ...(postgres === null
      ? [NO_POSTGRES]
      : await compareByConnections(setup, 'PostgreSQL', await serve(setup, await createDatabase(setup, postgres))))
  ]
}

interface Served {
  /** The token of a managed key. */
  readonly token: string
  /** Returns a function that sends many requests to a route and returns their cost. */
  readonly load: (
    route: keyof typeof peers,
    options?: Pick<Load, 'connections'> & { readonly token?: string }
  ) => () => Promise<Cost>
}

const serve = async (setup: Setup, url: string, env: Record<string, string> = {}): Promise<Served> => {
  const { plan, credentials } = setup
  const child = startChild<ServerFunctions>(setup, 'server.ts')
  const origin = await child.call('listen', { url, credentials, env })
  return {
    token: await issueToken(origin, credentials.clientToken),
    load: (route, { token, connections } = {}) => {
      const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` }
      return async () =>
        await loadRoute(child, { url: origin + peers[route], headers, requests: plan.requestsPerRound, connections })
    }
  }
}

const issueToken = async (origin: string, token: string): Promise<string> => {
  const response = await fetch(`${origin}/client_keys`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'bench' })
  })
  const { key_access_token: issued } = (await response.json()) as { key_access_token?: string }
  if (issued === undefined) throw new Error(`POST /client_keys: ${response.status}`)
  return issued
}

/** Compares a managed key to no credential, for each number of connections. */
const compareByConnections = async ({ plan }: Setup, engine: string, { token, load }: Served): Promise<Row[]> => {
  const rows: Row[] = [{ what: `Small route, managed key in ${engine}, against no credential` }]
  for (const connections of NUMBERS_OF_CONNECTIONS) {
    const { none, managed } = await takeInRounds(
      plan.requestRounds,
      { none: load('none', { connections }), managed: load('clientKey', { token, connections }) },
      plan.warmUpRounds
    )
    const least = connections === 1 ? LEAST_OF_ONE_CONNECTION : LEAST_OF_NO_CREDENTIAL
    rows.push(ratioRow(`connections: ${connections}`, managed, none, least))
  }
  return rows
}

interface Load {
  readonly url: string
  readonly headers: Record<string, string>
  readonly requests: number
  readonly connections?: number | undefined
}

const loadRoute = async (
  server: Child<ServerFunctions>,
  { url, headers, requests, connections = CONNECTIONS }: Load
): Promise<Cost> => {
  let first = 0
  let last = 0
  const before = await server.call('processorTime')
  const run = autocannon({
    url,
    requests: [{ headers }],
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
  const cpu = (await server.call('processorTime')) - before
  if (good === 0 || non2xx > 0 || errors > 0) {
    throw new Error(`${url}: ${good} replies with 2xx, ${non2xx} with another status, ${errors} errors`)
  }
  return { throughput: (good / (last - first)) * 1000, cpu: cpu / good }
}
