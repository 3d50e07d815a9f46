import fp from 'fastify-plugin'
import type { Metrics, MetricSources } from '../../http/metrics/metrics.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** The server's metrics, or null if `METRICS_PORT` isn't set. */
    metrics: Metrics | null
  }
}

/** Collects metrics if `METRICS_PORT` is set. `listenForMetrics` serves them on that port. */
export default fp(
  async fastify => {
    const metrics = fastify.config.METRICS_PORT === null ? null : await load(fastify)
    fastify.decorate('metrics', metrics)
    if (metrics === null) return
    fastify.addHook('onResponse', (request, reply, done) => {
      metrics.countRequest(request, reply)
      done()
    })
  },
  { name: 'metrics', dependencies: ['config'] }
)

// Imported dynamically, so that the library is only loaded if it's used. This is a separate function, because the
// compiler doesn't rewrite the `.ts` extension of an import inside a default export.
const load = async (sources: MetricSources): Promise<Metrics> => {
  const { createMetrics } = await import('../../http/metrics/metrics.ts')
  return createMetrics(sources)
}
