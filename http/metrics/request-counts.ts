import type { FastifyReply, FastifyRequest } from 'fastify'

/** What was answered by a route to one method. */
export interface RouteCounts {
  readonly labels: { readonly method: string; readonly route: string }
  /** How many answers there were, by their status. */
  readonly statuses: Map<number, number>
  /** How many of them took at most as long as each of BOUNDS, and longer than the one before; at the end, longer. */
  readonly buckets: number[]
  /** How long all of them took, in ms. */
  sum: number
}

/** Counts requests in plain numbers. */
export interface RequestCounts {
  /** Counts a request that was answered. */
  readonly add: (request: FastifyRequest, reply: FastifyReply) => void
  readonly routes: () => Iterable<RouteCounts>
}

/** The bounds of a histogram of durations, in ms. */
export const BOUNDS = [1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000] as const

/** What stands for every path that no route has, and for every method that none should have. */
const UNKNOWN_ROUTE = 'unknown'
const OTHER_METHOD = 'other'

const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])

const newCounts = (method: string, route: string): RouteCounts => ({
  labels: { method, route },
  statuses: new Map(),
  buckets: Array<number>(BOUNDS.length + 1).fill(0),
  sum: 0
})

/**
 * Makes the counts of a server. There are as many of them as it has routes, whatever is asked for. A library's counters
 * would look their labels up anew for each request, which costs more than all that is done here.
 */
export const createRequestCounts = (): RequestCounts => {
  const all = new Map<string, RouteCounts>()
  // By the configuration of a route, of which there is one object each.
  const found = new Map<object, Map<string, RouteCounts>>()

  const countsOf = (method: string, config: { url?: string }): RouteCounts => {
    const label = METHODS.has(method) ? method : OTHER_METHOD
    const route = config.url ?? UNKNOWN_ROUTE
    const key = `${label} ${route}`
    const counts = all.get(key) ?? newCounts(label, route)
    all.set(key, counts)
    found.set(config, (found.get(config) ?? new Map<string, RouteCounts>()).set(method, counts))
    return counts
  }

  return {
    add: (request, reply) => {
      const { config } = request.routeOptions
      const { method } = request
      const counts = found.get(config)?.get(method) ?? countsOf(method, config)
      const { statuses, buckets } = counts
      const { statusCode, elapsedTime } = reply
      statuses.set(statusCode, (statuses.get(statusCode) ?? 0) + 1)
      counts.sum += elapsedTime
      let bucket = 0
      while (elapsedTime > Number(BOUNDS[bucket])) bucket++
      buckets[bucket] = Number(buckets[bucket]) + 1
    },
    routes: () => all.values()
  }
}
