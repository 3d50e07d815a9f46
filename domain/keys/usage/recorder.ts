import { setTimeout as wait } from 'node:timers/promises'
import { createWatch, NOT_REPORTED } from '../../background.ts'
import type { BackgroundHooks } from '../../background.ts'
import { ownMilliseconds } from '../../time.ts'
import type { KnownToken } from '../client-key.ts'

/** How a token was used on a day, since that was last stored. */
export interface TokenUse {
  readonly token: Pick<KnownToken, 'ref' | 'digest' | 'generation'> & {
    readonly key: Pick<KnownToken['key'], 'id' | 'source'>
  }
  /** How many requests with it were accepted. */
  count: number
  /** When the last of them was, in milliseconds since 1970, and where from; 0 where there was none. */
  lastAt: number
  lastIp: string
  lastAgent: string | undefined
  /** How often, under each scope, from each address; and how often it was refused, by reason. */
  readonly scopes: Map<string, number>
  readonly addresses: Map<string, number>
  readonly refusals: Map<string, number>
}

export interface UsageRecorderOptions extends Partial<BackgroundHooks> {
  /** Stores how tokens were used on a day (UTC, such as 2026-01-31), all of it or nothing. */
  write: (day: string, uses: readonly TokenUse[]) => Promise<void>
  /** Returns the present instant in milliseconds since 1970; by default, that of this machine. */
  now?: (() => number) | undefined
}

/** Records in memory how keys are used, and stores it in batches. */
export interface UsageRecorder {
  /** `scopes` are those that the request needed; `address` is an IP address, or `unknown`. */
  used: (token: KnownToken, scopes: readonly string[], address: string, agent: string | undefined) => void
  refused: (token: KnownToken, reason: string) => void
  /** Stores all that was recorded so far. Never fails: what could not be stored is kept for the next time. */
  flush: () => Promise<void>
  /** The same, but it waits at most 100 ms: the rest is stored later. */
  settle: () => Promise<void>
  /** Of how many tokens something is not stored yet; what is being stored counts until it is. */
  pending: () => number
}

const FLUSH_INTERVAL_MS = 1000
const SETTLE_TIMEOUT_MS = 100
const DAY_MS = 86_400_000
const BATCH_SIZE = 500
/** After how many tokens they are stored without waiting for the interval. */
const FLUSH_SIZE = 10_000
/** At most how many tokens of a day are remembered while nothing can be stored. */
const MAX_TOKENS_A_DAY = 100_000
/** At most how many addresses of a key are distinguished a day. */
export const MAX_ADDRESSES = 100
/** For how many days usage is kept, the current one included. */
export const DAYS_KEPT = 90
/** What stands for all addresses beyond the first hundred. */
export const OTHER_ADDRESSES = '*'

type Day = Map<string, TokenUse>

/** What was recorded and is not stored, by day. */
interface Recorded {
  /** Where to record the use of a token; undefined where there is no more room. */
  readonly useOf: (token: KnownToken, now: number) => TokenUse | undefined
  /** Answers all that was recorded, to be taken out of `left` when it is stored, and records anew. */
  readonly take: () => Taken[]
  /** Adds what could not be stored to what has been recorded meanwhile. */
  readonly giveBack: (day: string, uses: readonly TokenUse[]) => void
  /** How many uses of a token on a day are recorded, or were taken and are left. */
  readonly size: () => number
}

/** How a token was used on days that are being stored. */
interface Taken {
  day: string
  left: TokenUse[]
}

const createRecorded = (onNew: (tokens: number) => void): Recorded => {
  const days = new Map<string, Day>()
  let today: Day = new Map()
  let taken: Taken[] = []
  let begins = 0

  const dayAt = (now: number): Day => {
    if (now < begins || now >= begins + DAY_MS) {
      begins = now - (now % DAY_MS)
      today = dayIn(days, new Date(begins).toISOString().slice(0, 10))
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
      begins = 0
      return taken
    },
    giveBack: (day, uses) => {
      const kept = dayIn(days, day)
      for (const use of uses) {
        const newer = kept.get(use.token.ref)
        kept.set(use.token.ref, newer === undefined ? use : merged(use, newer))
      }
    },
    size: () => sum([...[...days.values()].map(({ size }) => size), ...taken.map(({ left }) => left.length)])
  }
}

const dayIn = (days: Map<string, Day>, name: string): Day => {
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

  // Calls while a write is under way share the next one, which takes all that was recorded until then.
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
  const { attempt } = createWatch('store the use of client keys', { ...NOT_REPORTED, ...hooks })
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
