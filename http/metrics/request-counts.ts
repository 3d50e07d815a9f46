import type { FastifyReply, FastifyRequest } from 'fastify'

/** The counts for one route and method. */
export interface RouteCounts {
  readonly labels: { readonly method: string; readonly route: string }
  /** The number of responses, by status. */
  readonly statuses: Map<number, number>
  /** The number of responses in each bucket. The last bucket, which has no upper bound, counts longer durations. */
  readonly buckets: number[]
  /** The total duration of all requests, in milliseconds. */
  sum: number
}

/** The request counts of a server. */
export interface RequestCounts {
  /** Counts a completed request. */
  readonly add: (request: FastifyRequest, reply: FastifyReply) => void
  readonly routes: () => Iterable<RouteCounts>
}

/** The upper bounds of the buckets in the duration histogram, in milliseconds. */
export const BOUNDS = [1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000] as const

/** The labels for all paths without a route, and for all uncommon methods. */
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
 * Creates a server's request counts. The number of counts depends on the routes, not on the requests. Unlike the
 * counters of prom-client, they don't look up labels for each request, which would take longer than the rest of the
 * work.
 */
export const createRequestCounts = (): RequestCounts => {
  const all = new Map<string, RouteCounts>()
  // Keyed by the routes' `config` objects, because each route has a different one.
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
