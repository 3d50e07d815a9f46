import type { Child, StartChild } from './child.ts'
import type { Credentials } from './credentials.ts'
import { loadRoute } from './load.ts'
import { peers } from './peers.ts'
import type { Plan } from './plan.ts'
import { issueKey, withRegistry } from './registry.ts'
import { costOf, ratioRow } from './report.ts'
import type { Cost, Row } from './report.ts'
import { takeInRounds } from './rounds.ts'
import type { ServerAnswers, Setting } from './server.ts'
import { withRedis } from './services.ts'

interface Served {
  child: Child<ServerAnswers>
  url: string
}

const serve = async (start: StartChild, setting: Setting): Promise<Served> => {
  const child = start<ServerAnswers>('server.ts')
  const port = await child.ask('listen', setting)
  return { child, url: `http://127.0.0.1:${port}${peers.clientKey}` }
}

const issue = async (database: string, { clientSecret }: Credentials, isLimited = false): Promise<string> =>
  await withRegistry(database, clientSecret, async keys => {
    const { keyAccessToken } = await issueKey(keys, isLimited ? { rateLimit: LIMIT } : {})
    return keyAccessToken
  })

/** More than a bench can ask for, so that every request is counted and none refused. */
const LIMIT = { max: 1_000_000_000, windowSeconds: 86_400 }

/** How much more two and three nodes serve than one, where the load comes from the same machine. */
export const measureNodes = async (
  { nodeRounds, requestsARound, warmUpRounds }: Plan,
  database: string,
  start: StartChild,
  credentials: Credentials
): Promise<Row[]> => {
  const token = await issue(database, credentials)
  const nodes: Served[] = []
  for (let i = 0; i < 3; i++) nodes.push(await serve(start, { database, credentials }))
  const load = (number: number) => async (): Promise<Cost> => {
    const loads = nodes
      .slice(0, number)
      .map(async ({ child, url }) => await loadRoute(child, url, [token], { requests: requestsARound }))
    const costs = await Promise.all(loads)
    const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0)
    return {
      throughput: sum(costs.map(({ throughput }) => throughput)),
      cpu: sum(costs.map(({ cpu }) => cpu)) / number
    }
  }
  const { one, two, three } = await takeInRounds(
    nodeRounds,
    { one: load(1), two: load(2), three: load(3) },
    warmUpRounds
  )
  return [
    { what: 'Small route, managed key in PostgreSQL, 1 node', result: costOf(one, 'request') },
    { what: '2 nodes', result: costOf(two, 'request') },
    ratioRow('against 1 node', two, one),
    { what: '3 nodes', result: costOf(three, 'request') },
    ratioRow('against 1 node', three, one)
  ]
}

/** What it costs to count the requests of a key where all nodes share the count. */
export const measureLimitedKeys = async (
  plan: Plan,
  url: string,
  start: StartChild,
  path: string,
  credentials: Credentials
): Promise<Row[]> =>
  await withRedis(async redisUrl => {
    const load = async (setting: Omit<Setting, 'credentials'>): Promise<() => Promise<Cost>> => {
      const token = await issue(setting.database, credentials, true)
      const served = await serve(start, { ...setting, credentials })
      return async () => await loadRoute(served.child, served.url, [token], { requests: plan.requestsARound })
    }
    const inMemory = await load({ database: path })
    const { memory, postgres, redis } = await takeInRounds(
      plan.nodeRounds,
      {
        memory: inMemory,
        postgres: await load({ database: url }),
        redis: redisUrl === null ? inMemory : await load({ database: url, redisUrl })
      },
      plan.warmUpRounds
    )
    return [
      { what: 'Small route, key with a rate limit, counted in memory', result: costOf(memory, 'request') },
      { what: '– counted in PostgreSQL', result: costOf(postgres, 'request') },
      ratioRow('against in memory', postgres, memory),
      ...(redisUrl === null
        ? [{ what: '– counted in Redis', result: 'skipped: no Redis at TEST_REDIS_URL or 127.0.0.1:6379' }]
        : [
            { what: '– counted in Redis', result: costOf(redis, 'request') },
            ratioRow('against in memory', redis, memory)
          ])
    ]
  })
