import { Counter, Gauge, Histogram } from 'prom-client'
import type { MetricConfiguration, MetricObjectWithValues, MetricValue } from 'prom-client'
import { BOUNDS } from './request-counts.ts'
import type { RouteCounts } from './request-counts.ts'

type Read<Label extends string> = () => Iterable<MetricValue<Label>>

/** Returns one value without labels, or an empty array if the value is null. */
export const single = (value: number | null): MetricValue<never>[] => (value === null ? [] : [{ value, labels: {} }])

/** A gauge whose values are read when the metrics are collected. It may have no values. */
export class ReadGauge<Label extends string> extends Gauge<Label> {
  readonly #read: Read<Label>

  constructor(configuration: MetricConfiguration<Label>, read: Read<Label>) {
    super(configuration)
    this.#read = read
  }

  override async get(): Promise<MetricObjectWithValues<MetricValue<Label>>> {
    return { ...(await super.get()), values: [...this.#read()] }
  }
}

/** A counter whose values are read when the metrics are collected. */
export class ReadCounter<Label extends string> extends Counter<Label> {
  readonly #read: Read<Label>

  constructor(configuration: MetricConfiguration<Label>, read: Read<Label>) {
    super(configuration)
    this.#read = read
  }

  override async get(): Promise<MetricObjectWithValues<MetricValue<Label>>> {
    return { ...(await super.get()), values: [...this.#read()] }
  }
}

interface Sample {
  metricName: string
  labels: Partial<Record<'method' | 'route' | 'le', string | number>>
  value: number
}

const DURATION = {
  name: 'trivial_http_request_duration_seconds',
  help: 'The duration of requests, by method and route.'
}

/** A histogram of request durations. Its values are read from the request counts. */
export class RouteDurations extends Histogram<'method' | 'route'> {
  readonly #routes: () => Iterable<RouteCounts>

  constructor(configuration: Pick<MetricConfiguration<never>, 'registers'>, routes: () => Iterable<RouteCounts>) {
    super({ ...DURATION, ...configuration, labelNames: ['method', 'route'], buckets: BOUNDS.map(inSeconds) })
    this.#routes = routes
  }

  /** Called by the registry to collect a histogram. */
  async getForPromString(): Promise<typeof DURATION & { type: string; values: Sample[] }> {
    return { ...DURATION, type: 'histogram', values: [...this.#routes()].flatMap(samplesOf) }
  }
}

const inSeconds = (ms: number): number => ms / 1000

const samplesOf = ({ labels, buckets, sum }: RouteCounts): Sample[] => {
  let count = 0
  const samples = buckets.map((added, index): Sample => {
    count += added
    const bound = BOUNDS[index]
    const le = bound === undefined ? '+Inf' : inSeconds(bound)
    return { metricName: `${DURATION.name}_bucket`, labels: { le, ...labels }, value: count }
  })
  return [
    ...samples,
    { metricName: `${DURATION.name}_sum`, labels, value: inSeconds(sum) },
    { metricName: `${DURATION.name}_count`, labels, value: count }
  ]
}
