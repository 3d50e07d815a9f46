import fp from 'fastify-plugin'
import type { Tracing, TracingOptions } from '../../http/tracing.ts'

const MAX_SHUTDOWN_MS = 1000

/**
 * Traces requests by OpenTelemetry where `OTEL_EXPORTER_OTLP_ENDPOINT` is set: one span for each, which goes on with
 * the trace of a `traceparent` (W3C Trace Context).
 */
export default fp(
  async fastify => {
    const { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_SERVICE_NAME: service } = fastify.config
    if (endpoint === '') return
    const { plugin, shutDown } = await load({
      endpoint,
      service,
      onFailure: error => {
        fastify.log.warn({ err: error }, 'traces could not be sent; they are lost, and the service goes on')
      }
    })
    await fastify.register(plugin)
    fastify.addHook('onClose', async () => {
      await shutDown(MAX_SHUTDOWN_MS)
    })
  },
  { name: 'traces', dependencies: ['config'] }
)

// By itself, and only where it is wanted: the libraries take longer to load than the service.
const load = async (options: TracingOptions): Promise<Tracing> => {
  const { createTracing } = await import('../../http/tracing.ts')
  return createTracing(options)
}
