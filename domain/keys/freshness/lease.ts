import { createWatch, NOT_REPORTED } from '../../background.ts'
import type { Watch } from '../../background.ts'
import { FreshnessLost } from '../../errors.ts'
import { scheduleTimer } from './clock.ts'
import type { Clock, Schedule } from './clock.ts'
import { coalesced } from './coalesced.ts'
import type { KeyFreshness } from './freshness.ts'
import { createMembership } from './membership.ts'
import type { MembershipOptions } from './membership.ts'

export interface LeaseOptions extends MembershipOptions {
  readonly clock: Clock
  /** Schedules renewals. Defaults to timers that don't keep the process alive. */
  readonly schedule?: Schedule
  /**
   * The maximum time in milliseconds that a barrier waits before it rejects. By default, it waits until the store
   * responds or fails.
   */
  readonly maxWaitMs?: number | undefined
}

/**
 * Implements `KeyFreshness` for one of several nodes. While the node has a lease, it trusts its cache without querying
 * the database.
 */
export interface Lease extends KeyFreshness {
  /** Notifies the node that there may be new changes, so that it reads them immediately. */
  readonly notify: () => void
  /** Returns the number of milliseconds until the lease expires, or 0 if there is none. */
  readonly remaining: () => number
  /** Returns the epoch of the last change that the node has read, or 0 while it isn't registered. */
  readonly head: () => number
  /** Ends the lease and deregisters the node. Barriers reject from then on. The returned promise never rejects. */
  readonly close: () => Promise<void>
}

/** The maximum delay before a failed renewal is retried, in milliseconds. */
const RETRY_MS = 100

const RESOLVED = Promise.resolve()
// Prevents unhandled rejections. If a renewal fails, the hooks and the requests that are waiting for it get the error.
const ignore = (): void => {}

/**
 * Creates the lease of a node. The first barrier registers the node. From then on, the lease is renewed whenever a
 * quarter of its duration has passed. Barriers reject with FreshnessLost if a renewal fails. `docs/freshness.md`
 * explains why this is safe.
 */
export const createLease = ({ clock, schedule = scheduleTimer, ...options }: LeaseOptions): Lease => {
  const { leaseMs, background = NOT_REPORTED } = options
  const membership = createMembership(options)
  const { mark, isFresh, head, leave } = membership
  const timer = createLeaseTimer(clock, leaseMs)

  const attempt = async (): Promise<boolean> => {
    const member = await membership.join()
    // The lease starts before the query, because the result may lack changes that are committed during the query.
    const extend = timer.begin()
    if (await membership.catchUp(member)) {
      extend()
      return true
    }
    timer.end()
    void leave()
    return false
  }

  const renewal = createWatch("renew this node's lease", background)
  const { renew, stop } = createRenewer({ attempt, renewal, leaseMs, schedule })
  const limited = createWaitLimit(schedule, options.maxWaitMs)
  return {
    mark,
    isFresh,
    head,
    barrier: () => (timer.isRunning() ? RESOLVED : limited(renew())),
    remaining: timer.remaining,
    notify: () => {
      if (mark() !== null) renew().catch(ignore)
    },
    close: async () => {
      await stop()
      timer.end()
      await leave()
    }
  }
}

/** Limits how long a request waits for a renewal, which may be queued behind another renewal that hangs. */
const createWaitLimit = (schedule: Schedule, ms: number | undefined): ((renewed: Promise<void>) => Promise<void>) => {
  if (ms === undefined) {
    return async renewed => {
      await renewed
    }
  }
  return async renewed => {
    await new Promise<void>((resolve, reject) => {
      const cancel = schedule(() => {
        reject(new FreshnessLost({ cause: new Error('the database did not reply in time') }))
      }, ms)
      renewed.then(resolve, reject).finally(cancel).catch(ignore)
    })
  }
}

interface LeaseTimer {
  readonly isRunning: () => boolean
  readonly remaining: () => number
  /** Stores the current time. Returns a function that extends the lease, starting from that time. */
  readonly begin: () => () => void
  readonly end: () => void
}

/**
 * Creates the timer of a lease. It checks both clocks, because the monotonic clock may stop while the machine is
 * suspended.
 */
const createLeaseTimer = (clock: Clock, leaseMs: number): LeaseTimer => {
  let until = -Infinity
  let wallUntil = -Infinity
  return {
    isRunning: () => clock.monotonic() < until && clock.wall() < wallUntil,
    remaining: () => Math.max(0, Math.min(until - clock.monotonic(), wallUntil - clock.wall())),
    begin: () => {
      const nextUntil = clock.monotonic() + leaseMs
      const nextWallUntil = clock.wall() + leaseMs
      return () => {
        until = nextUntil
        wallUntil = nextWallUntil
      }
    },
    end: () => {
      until = -Infinity
    }
  }
}

interface Renewer {
  /** Resolves after a renewal that began after the call. Rejects with FreshnessLost if the renewal fails. */
  readonly renew: () => Promise<void>
  /** Stops all renewals. Resolves when no renewal is running. */
  readonly stop: () => Promise<void>
}

interface RenewerOptions {
  readonly attempt: () => Promise<boolean>
  readonly renewal: Watch
  readonly leaseMs: number
  readonly schedule: Schedule
}

const createRenewer = ({ attempt, renewal, leaseMs, schedule }: RenewerOptions): Renewer => {
  let isStopped = false
  let cancel = ignore

  const renewIn = (ms: number): void => {
    if (isStopped || leaseMs === 0) return
    cancel = schedule(() => {
      renew().catch(ignore)
    }, ms)
  }

  const renew = coalesced(async () => {
    cancel()
    if (isStopped) throw new FreshnessLost()
    try {
      await renewal.run(async () => {
        if (!(await attempt()) && !(await attempt())) {
          throw new Error('the store rejected the node right after its registration')
        }
      })
      renewIn(leaseMs / 4)
    } catch (cause) {
      renewIn(Math.min(leaseMs / 4, RETRY_MS))
      throw new FreshnessLost({ cause })
    }
  })

  return {
    renew,
    stop: async () => {
      isStopped = true
      await renew().catch(ignore)
    }
  }
}
