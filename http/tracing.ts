import { setTimeout as wait } from 'node:timers/promises'
import { FastifyOtelInstrumentation } from '@fastify/otel'
import { propagation, SpanStatusCode } from '@opentelemetry/api'
import type { Span } from '@opentelemetry/api'
import { setGlobalErrorHandler, W3CTraceContextPropagator } from '@opentelemetry/core'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto'
import {
  detectResources,
  envDetector,
  resourceFromAttributes,
  serviceInstanceIdDetector
} from '@opentelemetry/resources'
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base'
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base'
import type { FastifyPluginCallback } from 'fastify'

export interface TracingOptions {
  /** The base URL of an OTLP/HTTP receiver. */
  endpoint: string
  /** By which name the service is known in traces. */
  service: string
  /** Is called with the failure where spans could not be sent; they are lost. */
  onFailure: (error: unknown) => void
}

export interface Tracing {
  readonly plugin: FastifyPluginCallback
  /** Sends what is left, for as many ms at most. */
  readonly shutDown: (ms: number) => Promise<void>
}

/** The attributes that spans may have. No other is sent: what a URL or an error tells may be a credential. */
const ATTRIBUTES = ['http.request.method', 'http.route', 'http.response.status_code']

/** Sends spans in batches, with nothing in them that a client has written. */
class PlainSpans extends BatchSpanProcessor {
  onEnding(span: Span & Pick<ReadableSpan, 'attributes'>): void {
    const kept = Object.entries(span.attributes).filter(([name]) => ATTRIBUTES.includes(name))
    const { 'http.request.method': method, 'http.route': route, 'http.response.status_code': status } = span.attributes
    const code = Number(status) >= 500 ? SpanStatusCode.ERROR : SpanStatusCode.UNSET
    span.updateName([method, route].filter(part => part !== undefined).join(' '))
    Object.assign(span, { attributes: Object.fromEntries(kept), status: { code } })
  }
}

/**
 * Makes traces of a server: a span for each request, without its path, its query, its headers and its failure. What
 * else `OTEL_…` variables say of samplers, batches, headers and resources, the libraries read from the environment.
 */
export const createTracing = ({ endpoint, service, onFailure }: TracingOptions): Tracing => {
  // The two are of the whole process; a second server sets the same.
  propagation.setGlobalPropagator(new W3CTraceContextPropagator())
  setGlobalErrorHandler(onFailure)
  const provider = new BasicTracerProvider({
    resource: resourceFromAttributes({ 'service.name': service }).merge(
      detectResources({ detectors: [serviceInstanceIdDetector, envDetector] })
    ),
    spanProcessors: [new PlainSpans(new OTLPTraceExporter({ url: `${endpoint.replace(/\/$/, '')}/v1/traces` }))]
  })
  const instrumentation = new FastifyOtelInstrumentation({
    recordExceptions: false,
    instrumentHooks: false,
    instrumentHandler: false
  })
  instrumentation.setTracerProvider(provider)
  return {
    plugin: instrumentation.plugin(),
    shutDown: async ms => {
      await Promise.race([provider.shutdown().catch(onFailure), wait(ms, undefined, { ref: false })])
    }
  }
}
