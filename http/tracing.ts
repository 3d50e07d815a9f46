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
  /** The name of the service in traces. */
  service: string
  /** Called if spans couldn't be sent. Such spans are lost. */
  onFailure: (error: unknown) => void
}

export interface Tracing {
  readonly plugin: FastifyPluginCallback
  /** Sends the remaining spans. Waits at most `ms` milliseconds. */
  readonly shutDown: (ms: number) => Promise<void>
}

/** The attributes that are sent. All others are removed, because URLs and errors may contain credentials. */
const ATTRIBUTES = ['http.request.method', 'http.route', 'http.response.status_code']

/** Sends spans in batches, without any data from clients. */
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
 * Traces a server's requests. Each request gets one span, without its path, query, headers or error. The libraries read
 * the `OTEL_…` variables for samplers, batches, headers and resources from the environment.
 */
export const createTracing = ({ endpoint, service, onFailure }: TracingOptions): Tracing => {
  // These two settings are global. If a process has several servers, the last one sets them.
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
