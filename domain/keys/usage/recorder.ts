import { setTimeout as wait } from 'node:timers/promises'
import { createWatch, NOT_REPORTED } from '../../background.ts'
import type { BackgroundHooks } from '../../background.ts'
import { ownMilliseconds } from '../../time.ts'
import type { KnownToken } from '../client-key.ts'

/** A token's usage on one day that hasn't been stored yet. */
export interface TokenUse {
  readonly token: Pick<KnownToken, 'ref' | 'digest' | 'generation'> & {
    readonly key: Pick<KnownToken['key'], 'id' | 'source'>
  }
  /** The number of accepted requests. */
  count: number
  /** When the last accepted request arrived, in milliseconds since 1970, or 0 if there was none. */
  lastAt: number
  lastIp: string
  lastAgent: string | undefined
  /** The numbers of accepted requests per scope and per address, and of refused requests per reason. */
  readonly scopes: Map<string, number>
  readonly addresses: Map<string, number>
  readonly refusals: Map<string, number>
}

export interface UsageRecorderOptions extends Partial<BackgroundHooks> {
  /** Stores the usage of tokens on a UTC day, such as 2026-01-31. Stores either everything or nothing. */
  write: (day: string, uses: readonly TokenUse[]) => Promise<void>
  /** Returns the current time in milliseconds since 1970. Defaults to the clock of this machine. */
  now?: (() => number) | undefined
}

/** Records the usage of keys in memory, and stores it in batches. */
export interface UsageRecorder {
  /** Records an accepted request. `scopes` are the scopes that it required. `address` is an IP address or `unknown`. */
  used: (token: KnownToken, scopes: readonly string[], address: string, agent: string | undefined) => void
  refused: (token: KnownToken, reason: string) => void
  /**
   * Stores all usage that has been recorded so far. Never rejects; usage that can't be stored is kept and stored later.
   */
  flush: () => Promise<void>
  /** Like `flush`, but waits for at most 100 ms. Any remaining usage is stored later. */
  settle: () => Promise<void>
  /**
   * Returns the number of tokens whose usage hasn't been fully stored yet. Tokens whose usage is currently being stored
   * are included.
   */
  pending: () => number
}

const FLUSH_INTERVAL_MS = 1000
const SETTLE_TIMEOUT_MS = 100
const DAY_MS = 86_400_000
const BATCH_SIZE = 500
/** The number of tokens with new usage that triggers a flush before the interval ends. */
const FLUSH_SIZE = 10_000
/** The maximum number of tokens per day for which usage is kept in memory while it can't be stored. */
const MAX_TOKENS_A_DAY = 100_000
/** The maximum number of addresses that are recorded separately per key and day. */
export const MAX_ADDRESSES = 100
/** The number of days for which usage is kept, including today. */
export const DAYS_KEPT = 90
/** The label that counts all addresses after the first 100. */
export const OTHER_ADDRESSES = '*'

type Day = Map<string, TokenUse>

/** The usage that hasn't been stored yet, by day. */
interface Recorded {
  /** Returns the record to add a token's use to, or undefined if there are too many tokens. */
  readonly useOf: (token: KnownToken, now: number) => TokenUse | undefined
  /** Returns and clears all recorded usage. Usage must be removed from `left` after it's stored. */
  readonly take: () => PendingDay[]
  /** Adds usage that couldn't be stored to the usage that was recorded in the meantime. */
  readonly giveBack: (day: string, uses: readonly TokenUse[]) => void
  /** Returns the number of tokens per day that are recorded or still in `left`, summed over all days. */
  readonly size: () => number
}

/** One day's usage that is being stored. */
interface PendingDay {
  day: string
  left: TokenUse[]
}

const createRecorded = (onNew: (tokens: number) => void): Recorded => {
  const days = new Map<string, Day>()
  let today: Day = new Map()
  let taken: PendingDay[] = []
  let dayStart = 0

  const dayAt = (now: number): Day => {
    if (now < dayStart || now >= dayStart + DAY_MS) {
      dayStart = now - (now % DAY_MS)
      today = getOrAddDay(days, new Date(dayStart).toISOString().slice(0, 10))
    }
    return today
  }

  return {
    useOf: (token, now) => {
      const day = dayAt(now)
      const known = day.get(token.ref)
      if (known !== undefined || day.size >= MAX_TOKENS_A_DAY) return known
      const use = newUse(token)
      day.set(token.ref, use)
      onNew(day.size)
      return use
    },
    take: () => {
      taken = [...days].map(([day, uses]) => ({ day, left: [...uses.values()] }))
      days.clear()
      dayStart = 0
      return taken
    },
    giveBack: (day, uses) => {
      const kept = getOrAddDay(days, day)
      for (const use of uses) {
        const newer = kept.get(use.token.ref)
        kept.set(use.token.ref, newer === undefined ? use : merged(use, newer))
      }
    },
    size: () => sum([...[...days.values()].map(({ size }) => size), ...taken.map(({ left }) => left.length)])
  }
}

const getOrAddDay = (days: Map<string, Day>, name: string): Day => {
  const day = days.get(name) ?? new Map<string, TokenUse>()
  days.set(name, day)
  return day
}

interface Flusher {
  readonly flush: () => Promise<void>
  readonly schedule: () => void
}

const createFlusher = (writeAll: () => Promise<void>): Flusher => {
  let timer: NodeJS.Timeout | undefined
  let writing: Promise<void> = Promise.resolve()
  let next: Promise<void> | undefined

  // Calls that are made during a write share the next write, which includes everything recorded before it starts.
  const flush = (): Promise<void> => {
    clearTimeout(timer)
    timer = undefined
    next ??= writing.then(async () => {
      next = undefined
      writing = writeAll()
      await writing
    })
    return next
  }

  const schedule = (): void => {
    timer ??= setTimeout(() => {
      void flush()
    }, FLUSH_INTERVAL_MS).unref()
  }
  return { flush, schedule }
}

export const createUsageRecorder = (options: UsageRecorderOptions): UsageRecorder => {
  const { write, now = ownMilliseconds, ...hooks } = options
  const { attempt } = createWatch('store client key usage', { ...NOT_REPORTED, ...hooks })
  const recorded = createRecorded(tokens => {
    if (tokens === FLUSH_SIZE) void flush()
    schedule()
  })

  const { flush, schedule } = createFlusher(async () => {
    for (const { day, left } of recorded.take()) {
      await attempt(async () => {
        for (; left.length > 0; left.splice(0, BATCH_SIZE)) await write(day, left.slice(0, BATCH_SIZE))
      })
      if (left.length === 0) continue
      recorded.giveBack(day, left.splice(0))
      schedule()
    }
  })

  return {
    used: (token, scopes, address, agent) => {
      const at = now()
      const use = recorded.useOf(token, at)
      if (use === undefined) return
      use.count++
      use.lastAt = at
      use.lastIp = address
      use.lastAgent = agent
      for (const scope of scopes) add(use.scopes, scope, 1)
      addAddress(use.addresses, address, 1)
    },
    refused: (token, reason) => {
      const use = recorded.useOf(token, now())
      if (use !== undefined) add(use.refusals, reason, 1)
    },
    flush,
    settle: async () => {
      await Promise.race([flush(), wait(SETTLE_TIMEOUT_MS, undefined, { ref: false })])
    },
    pending: recorded.size
  }
}

const newUse = ({ ref, digest, generation, key: { id, source } }: KnownToken): TokenUse => ({
  token: { ref, digest, generation, key: { id, source } },
  count: 0,
  lastAt: 0,
  lastIp: '',
  lastAgent: undefined,
  scopes: new Map(),
  addresses: new Map(),
  refusals: new Map()
})

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0)

const add = (counts: Map<string, number>, label: string, count: number): void => {
  counts.set(label, (counts.get(label) ?? 0) + count)
}

const addAddress = (counts: Map<string, number>, address: string, count: number): void => {
  add(counts, counts.has(address) || counts.size < MAX_ADDRESSES ? address : OTHER_ADDRESSES, count)
}

const merged = (older: TokenUse, newer: TokenUse): TokenUse => {
  const { lastAt, lastIp, lastAgent } = newer.count > 0 ? newer : older
  for (const kind of ['scopes', 'refusals'] as const) {
    for (const [label, count] of newer[kind]) add(older[kind], label, count)
  }
  for (const [address, count] of newer.addresses) addAddress(older.addresses, address, count)
  return { ...older, count: older.count + newer.count, lastAt, lastIp, lastAgent }
}
