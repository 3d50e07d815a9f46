/** The series for promtool, by name and labels without the job. Each series has one sample per interval. */
export type Series = Readonly<Record<string, string>>

/** Series for which an alert fires, and series for which it doesn't fire. */
export interface AlertCase {
  readonly fires: Series
  /** The alert doesn't fire for any of these series. */
  readonly quiet: readonly Series[]
  /** The minute in which the alert is evaluated. */
  readonly minute: number
  /** The time between two samples. It's longer for a rule that covers a whole day. */
  readonly interval: '15s' | '5m'
  /** The alert's labels, except for the job and the severity. */
  readonly labels?: Readonly<Record<string, string>>
}

const requests = (method: string, route: string, status: number): string =>
  `trivial_http_requests_total{instance="a",method="${method}",route="${route}",status="${status}"}`

const bucket = (name: string, le: string): string => `${name}_bucket{instance="a",le="${le}"}`

const refusals = (reason: string): string => `trivial_refusals_total{instance="a",reason="${reason}"}`

const DURATION = 'trivial_http_request_duration_seconds'
const WAIT = 'trivial_receipt_wait_seconds'
const LEASE = 'trivial_lease_remaining_seconds{instance="a"}'
const WAITING = 'trivial_pool_connections{instance="a",state="waiting"}'
const LAG = 'nodejs_eventloop_lag_p99_seconds{instance="a"}'

const expiring = (days: number, instance = 'a'): string =>
  `trivial_keys_expiring{instance="${instance}",within_days="${days}"}`

/** A case for each alert of examples/prometheus-rules.yaml. */
export const ALERTS: Readonly<Record<string, AlertCase>> = {
  TrivialApiDown: {
    fires: { 'up{instance="a"}': '0x8', 'up{instance="b"}': '1x8' },
    quiet: [{ 'up{instance="a"}': '1x4 0x0 1x3' }],
    minute: 2,
    interval: '15s',
    labels: { instance: 'a' }
  },
  TrivialApiAbsent: { fires: {}, quiet: [{ 'up{instance="a"}': '0x40' }], minute: 6, interval: '15s' },
  TrivialApiNotReady: {
    fires: { [requests('GET', '/ready', 503)]: '0+7x40' },
    quiet: [
      { [requests('GET', '/ready', 503)]: '7x40', [requests('GET', '/ready', 200)]: '0+7x40' },
      // A single refusal.
      { [requests('GET', '/ready', 503)]: '0x8 1x32' }
    ],
    minute: 5,
    interval: '15s',
    labels: { instance: 'a', method: 'GET', route: '/ready', status: '503' }
  },
  TrivialApiLeaseLost: {
    fires: { [LEASE]: '1.8x10 0x20' },
    quiet: [{ [LEASE]: '1.8x40' }, { [LEASE]: '0x40' }],
    minute: 5,
    interval: '15s',
    labels: { instance: 'a' }
  },
  TrivialApiWaitsForConnections: {
    fires: { [WAITING]: '3x40' },
    quiet: [{ [WAITING]: '3x8 0x3 3x27' }],
    minute: 6,
    interval: '15s',
    labels: { instance: 'a', state: 'waiting' }
  },
  TrivialApiEventLoopLate: {
    fires: { [LAG]: '0.2x40' },
    quiet: [{ [LAG]: '0.02x40' }],
    minute: 6,
    interval: '15s',
    labels: { instance: 'a' }
  },
  TrivialApiErrors: {
    fires: { [requests('GET', '/apps', 200)]: '0+98x60', [requests('PUT', '/profile', 503)]: '0+2x60' },
    quiet: [
      { [requests('GET', '/apps', 200)]: '0+998x60', [requests('PUT', '/profile', 503)]: '0+2x60' },
      { [requests('GET', '/apps', 200)]: '0+98x60', [requests('GET', '/ready', 503)]: '0+50x60' },
      { [requests('GET', '/apps', 401)]: '0+98x60' }
    ],
    minute: 12,
    interval: '15s'
  },
  TrivialApiSlow: {
    fires: {
      [bucket(DURATION, '1')]: '0+98x80',
      [bucket(DURATION, '2.5')]: '0+100x80',
      [bucket(DURATION, '+Inf')]: '0+100x80'
    },
    quiet: [{ [bucket(DURATION, '1')]: '0+100x80', [bucket(DURATION, '+Inf')]: '0+100x80' }],
    minute: 16,
    interval: '15s'
  },
  TrivialApiRefusalsJump: {
    fires: { [refusals('not_allowed')]: '0+20x288 5760+6000x10' },
    quiet: [{ [refusals('not_allowed')]: '0+6000x300' }, { [refusals('not_allowed')]: '0x288 0+200x10' }],
    minute: 1465,
    interval: '5m'
  },
  TrivialApiLimitUndecided: {
    fires: { [refusals('limit_undecided')]: '0+1x40' },
    quiet: [
      { [refusals('limit_undecided')]: '5x40', [refusals('rate_limited')]: '0+9x40' },
      { [refusals('limit_undecided')]: '0x8 1x32' }
    ],
    minute: 5,
    interval: '15s'
  },
  TrivialApiChangesWait: {
    fires: { [`${WAIT}_count{instance="a"}`]: '0x10 1x40', [bucket(WAIT, '1')]: '0x50' },
    quiet: [{ [`${WAIT}_count{instance="a"}`]: '0+1x50', [bucket(WAIT, '1')]: '0+1x50' }],
    minute: 5,
    interval: '15s'
  },
  TrivialApiKeyChangesFail: {
    fires: { [requests('PATCH', '/client_keys/:id', 503)]: '0+1x40' },
    quiet: [
      {
        [requests('GET', '/client_keys/:id', 503)]: '0+1x40',
        [requests('PATCH', '/client_keys/:id', 409)]: '0+1x40',
        [requests('PUT', '/profile', 503)]: '0+1x40'
      }
    ],
    minute: 5,
    interval: '15s'
  },
  TrivialApiUnknownSecret: {
    fires: { [refusals('unknown_generation')]: '0+1x100' },
    quiet: [{ [refusals('unknown_generation')]: '5x100', [refusals('malformed')]: '0+1x100' }],
    minute: 15,
    interval: '15s'
  },
  TrivialApiKeysExpireInADay: {
    fires: { [expiring(1)]: '2x100', [expiring(1, 'b')]: '2x100' },
    quiet: [{ [expiring(1)]: '0x100', [expiring(7)]: '3x100' }],
    minute: 20,
    interval: '15s'
  },
  TrivialApiKeysExpireInAWeek: {
    fires: { [expiring(7)]: '2x100', [expiring(7, 'b')]: '2x100' },
    quiet: [{ [expiring(7)]: '0x100', [expiring(30)]: '3x100' }],
    minute: 20,
    interval: '15s'
  }
}
