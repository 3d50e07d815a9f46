import type { StartChild } from './child.ts'
import type { Credentials } from './credentials.ts'
import type { BenchDatabase } from './databases.ts'
import { loadRoute } from './load.ts'
import { peers } from './peers.ts'
import type { Plan } from './plan.ts'
import { issueKey, withRegistry } from './registry.ts'
import { costOf, ratioRow } from './report.ts'
import type { Cost, Row } from './report.ts'
import { takeInRounds } from './rounds.ts'
import type { ServerAnswers } from './server.ts'

/** At most 5 % more. */
const LEAST_OF_METRICS_OFF = 1 / 1.05

/** What metrics cost the hot path: two services that differ in nothing else, round by round. */
export const compareMetrics = async (
  plan: Plan,
  start: StartChild,
  database: BenchDatabase,
  credentials: Credentials
): Promise<Row[]> => {
  const token = await withRegistry(
    database.path,
    credentials.clientSecret,
    async keys => (await issueKey(keys)).keyAccessToken
  )
  const load = async (metrics: boolean): Promise<() => Promise<Cost>> => {
    const server = start<ServerAnswers>('server.ts')
    const port = await server.ask('listen', { database: database.path, credentials, metrics })
    return async () =>
      await loadRoute(server, `http://127.0.0.1:${port}${peers.clientKey}`, [token], { requests: plan.requestsARound })
  }
  const { on, off } = await takeInRounds(
    plan.requestRounds,
    { on: await load(true), off: await load(false) },
    plan.warmUpRounds
  )
  return [
    { what: 'Small route, managed key, with metrics', result: costOf(on, 'request') },
    ratioRow('against without', on, off, LEAST_OF_METRICS_OFF)
  ]
}
