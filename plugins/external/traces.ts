import fp from 'fastify-plugin'
import type { Tracing, TracingOptions } from '../../http/tracing.ts'

const MAX_SHUTDOWN_MS = 1000

/**
 * Traces requests with OpenTelemetry if `OTEL_EXPORTER_OTLP_ENDPOINT` is set. Each request gets one span, which belongs
 * to the trace in the request's `traceparent` header (W3C Trace Context).
 */
export default fp(
  async fastify => {
    const { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_SERVICE_NAME: service } = fastify.config
    if (endpoint === '') return
    const { plugin, shutDown } = await load({
      endpoint,
      service,
      onFailure: error => {
        fastify.log.warn({ err: error }, 'traces could not be sent and are lost; the service continues')
      }
    })
    await fastify.register(plugin)
    fastify.addHook('onClose', async () => {
      await shutDown(MAX_SHUTDOWN_MS)
    })
  },
  { name: 'traces', dependencies: ['config'] }
)

// Imported dynamically, because the libraries take longer to load than the service. This is a separate function,
// because the compiler doesn't rewrite the `.ts` extension of an import inside a default export.
const load = async (options: TracingOptions): Promise<Tracing> => {
  const { createTracing } = await import('../../http/tracing.ts')
  return createTracing(options)
}
