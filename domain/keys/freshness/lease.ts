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
  /** Timers that keep no process alive, by default. */
  readonly schedule?: Schedule
  /** For how many milliseconds a barrier waits before it rejects; by default, for as long as the store takes. */
  readonly maxWaitMs?: number | undefined
}

/** The freshness of a node among several: while it holds a lease, it trusts what it remembers without asking. */
export interface Lease extends KeyFreshness {
  /** Something may have changed: learns it now. */
  readonly notify: () => void
  /** For how many milliseconds the lease goes on; 0 where there is none. */
  readonly remaining: () => number
  /** The epoch of the last change that the node knows; 0 while it is not registered. */
  readonly head: () => number
  /** Gives the lease up and leaves. No barrier passes from then on. Never rejects. */
  readonly close: () => Promise<void>
}

/** After how many milliseconds a renewal that failed is tried again, at most. */
const RETRY_MS = 100

const PASSED = Promise.resolve()
// Against unhandled rejections: who waits for a renewal gets its failure, and the hooks report it.
const ignore = (): void => {}

/**
 * Makes the freshness of a node. Its first barrier registers it; from then on it renews its lease four times as often
 * as need be. Barriers reject with `FreshnessLost` where that fails. `docs/freshness.md` says why this is safe.
 */
export const createLease = ({ clock, schedule = scheduleTimer, ...options }: LeaseOptions): Lease => {
  const { leaseMs, background = NOT_REPORTED } = options
  const membership = createMembership(options)
  const { mark, isFresh, head, leave } = membership
  const term = createTerm(clock, leaseMs)

  const attempt = async (): Promise<boolean> => {
    const member = await membership.join()
    // Counted from before the database is asked: what is committed after that may not be part of the answer.
    const extend = term.begin()
    if (await membership.catchUp(member)) {
      extend()
      return true
    }
    term.end()
    void leave()
    return false
  }

  const renewal = createWatch('renew the lease of this node', background)
  const { renew, stop } = createRenewer({ attempt, renewal, leaseMs, schedule })
  const limited = createLimit(schedule, options.maxWaitMs)
  return {
    mark,
    isFresh,
    head,
    barrier: () => (term.isRunning() ? PASSED : limited(renew())),
    remaining: term.remaining,
    notify: () => {
      if (mark() !== null) renew().catch(ignore)
    },
    close: async () => {
      await stop()
      term.end()
      await leave()
    }
  }
}

/** Limits the wait for a renewal, which may have to wait for the end of another that hangs. */
const createLimit = (schedule: Schedule, ms: number | undefined): ((renewed: Promise<void>) => Promise<void>) => {
  if (ms === undefined) {
    return async renewed => {
      await renewed
    }
  }
  return async renewed => {
    await new Promise<void>((resolve, reject) => {
      const cancel = schedule(() => {
        reject(new FreshnessLost({ cause: new Error('the database sent no reply in time') }))
      }, ms)
      renewed.then(resolve, reject).finally(cancel).catch(ignore)
    })
  }
}

interface Term {
  readonly isRunning: () => boolean
  readonly remaining: () => number
  /** Notes the time; what it answers makes the lease last from then on. */
  readonly begin: () => () => void
  readonly end: () => void
}

/** The time of a lease. Both clocks are asked: the monotonic one stops while the machine is suspended. */
const createTerm = (clock: Clock, leaseMs: number): Term => {
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
  /** Resolves when a renewal that began after the call was made; rejects with `FreshnessLost`. */
  readonly renew: () => Promise<void>
  /** Resolves when no renewal is under way, nor will be. */
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
        if (!(await attempt()) && !(await attempt())) throw new Error('the node was refused just after it registered')
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
