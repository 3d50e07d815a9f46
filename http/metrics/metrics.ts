import { collectDefaultMetrics, Counter, Histogram, Registry } from 'prom-client'
import type { Metric } from 'prom-client'
import type { TokenCache } from '../../domain/keys/verdict/authenticator.ts'
import type { ExpiryCounts } from '../../domain/keys/lifecycle/expiry-counts.ts'
import type { UsageRecorder } from '../../domain/keys/usage/recorder.ts'
import type { StorageStatistics } from '../../domain/statistics.ts'
import { createRequestCounts } from './request-counts.ts'
import type { RequestCounts } from './request-counts.ts'
import { ReadCounter, ReadGauge, RouteDurations, single } from './readings.ts'

/** A server's metrics, for Prometheus. No label contains data from a key or a client. */
export interface Metrics {
  /** Counts a completed request. */
  readonly countRequest: RequestCounts['add']
  /** Counts a refusal by reason. There are only a few possible reasons. */
  readonly countRefusal: (reason: string) => void
  /** Records how long a change waited for its receipt, in milliseconds. */
  readonly observeReceipt: (ms: number) => void
  /** Returns all metrics as text, with the media type. */
  readonly render: () => Promise<{ type: string; text: string }>
}

/** The objects whose state is read when the metrics are rendered. */
export interface MetricSources {
  readonly tokenCache: TokenCache
  readonly keyUsage: Pick<UsageRecorder, 'pending'>
  readonly expiryCounts: Pick<ExpiryCounts, 'latest'>
  readonly storage: { readonly statistics: () => StorageStatistics }
}

/** Creates a server's metrics in a separate registry, because a process may have several servers. */
export const createMetrics = (sources: MetricSources): Metrics => {
  const registry = new Registry()
  const requests = createRequestCounts()
  const refusals = new Counter({ ...REFUSALS, registers })
  const receipts = new Histogram({ ...RECEIPTS, registers })
  for (const metric of [...requestMetrics(requests), refusals, receipts, ...stateMetrics(sources)]) {
    registry.registerMetric(metric)
  }
  collectDefaultMetrics({ register: registry })
  return {
    countRequest: requests.add,
    countRefusal: reason => {
      refusals.inc({ reason })
    },
    observeReceipt: ms => {
      receipts.observe(ms / 1000)
    },
    render: async () => ({ type: registry.contentType, text: await registry.metrics() })
  }
}

// Without this empty list, prom-client would add each metric to the process's global registry.
const registers: Registry[] = []

const REFUSALS = {
  name: 'trivial_refusals_total',
  help: 'Requests with a refused credential, by the logged reason.',
  labelNames: ['reason'] as const
}

const RECEIPTS = {
  name: 'trivial_receipt_wait_seconds',
  help: 'The time for which changes waited for their receipts.',
  buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5]
}

const REQUESTS = {
  name: 'trivial_http_requests_total',
  help: 'Completed requests, by method, route and status.',
  labelNames: ['method', 'route', 'status'] as const
}

const POOL = {
  name: 'trivial_pool_connections',
  help: 'Database connections by state, and requests that are waiting for one.',
  labelNames: ['state'] as const
}

const EXPIRING = {
  name: 'trivial_keys_expiring',
  help: 'Active managed keys that expire within a number of days. Updated every ten minutes.',
  labelNames: ['within_days'] as const
}

const requestMetrics = ({ routes }: RequestCounts): Metric[] => [
  new ReadCounter({ ...REQUESTS, registers }, () =>
    [...routes()].flatMap(({ labels, statuses }) =>
      [...statuses].map(([status, value]) => ({ labels: { ...labels, status }, value }))
    )
  ),
  new RouteDurations({ registers }, routes)
]

const gauge = (name: string, help: string, read: () => number | null): Metric =>
  new ReadGauge({ name, help, registers }, () => single(read()))

const counter = (name: string, help: string, read: () => number): Metric =>
  new ReadCounter({ name, help, registers }, () => single(read()))

const stateMetrics = (sources: MetricSources): Metric[] => {
  // These are only available once all plugins have been loaded.
  const cache = (): TokenCache => sources.tokenCache
  const database = (): StorageStatistics => sources.storage.statistics()
  return [
    counter('trivial_token_cache_hits_total', 'Tokens that were found in the cache.', () => cache().hits),
    counter('trivial_token_cache_misses_total', 'Tokens that had to be decrypted and looked up.', () => cache().misses),
    gauge('trivial_token_cache_size', 'Tokens in the cache.', () => cache().size()),
    gauge('trivial_usage_pending', 'Tokens whose usage has not been stored yet.', () => sources.keyUsage.pending()),
    gauge(
      'trivial_epoch',
      'The number of the last change to a key that this process has read.',
      () => database().epoch
    ),
    gauge('trivial_lease_remaining_seconds', "The time until this node's lease expires.", () => {
      const { leaseRemainingMs } = database()
      return leaseRemainingMs === null ? null : leaseRemainingMs / 1000
    }),
    new ReadGauge({ ...POOL, registers }, () =>
      Object.entries(database().pool ?? {}).map(([state, value]) => ({ labels: { state }, value }))
    ),
    new ReadGauge({ ...EXPIRING, registers }, () =>
      sources.expiryCounts.latest().map(({ days, keys }) => ({ labels: { within_days: days }, value: keys }))
    )
  ]
}
