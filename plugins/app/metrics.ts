import fp from 'fastify-plugin'
import type { Metrics, MetricSources } from '../../http/metrics/metrics.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** What the server counts and measures of itself; null where `METRICS_PORT` is not set. */
    metrics: Metrics | null
  }
}

/**
 * Counts requests where `METRICS_PORT` is set, and nothing where it is not. What is counted is served by a listener of
 * its own: see `listenForMetrics`.
 */
export default fp(
  async fastify => {
    const metrics = fastify.config.METRICS_PORT === null ? null : await load(fastify)
    fastify.decorate('metrics', metrics)
    if (metrics === null) return
    fastify.addHook('onResponse', (request, reply, done) => {
      metrics.answered(request, reply)
      done()
    })
  },
  { name: 'metrics', dependencies: ['config'] }
)

// The library is loaded only where it is wanted. This stands by itself, since the compiler leaves the `.ts` of an
// import alone that is inside of a default export.
const load = async (sources: MetricSources): Promise<Metrics> => {
  const { createMetrics } = await import('../../http/metrics/metrics.ts')
  return createMetrics(sources)
}
