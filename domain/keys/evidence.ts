import { setTimeout as wait } from 'node:timers/promises'
import type { KnownToken } from './client-key.ts'
import type { Scope } from './scopes.ts'

/** What was seen of a token on a day, since it was last written down. */
export interface TokenUse {
  readonly token: Pick<KnownToken, 'ref' | 'digest' | 'generation'> & {
    readonly key: Pick<KnownToken['key'], 'id' | 'source'>
  }
  /** How often it was let in. */
  count: number
  /** When it was last let in, in milliseconds since 1970, and by whom; 0 where it was not. */
  lastAt: number
  lastIp: string
  lastAgent: string | undefined
  /** How often, under each scope, from each address; and how often it was refused, by reason. */
  readonly scopes: Map<string, number>
  readonly addresses: Map<string, number>
  readonly refusals: Map<string, number>
}

export interface EvidenceOptions {
  /** Writes down what was seen on a day (UTC, such as 2026-01-31), all of it or nothing. */
  write: (day: string, uses: readonly TokenUse[]) => Promise<void>
  /** Is told of what could not be written; it is kept, and tried again. */
  onFailure: (error: unknown) => void
}

/** Gathers in memory how keys are used, and writes it down in batches. */
export interface Evidence {
  used: (token: KnownToken, scope: Scope | null, address: string, agent: string | undefined) => void
  refused: (token: KnownToken, reason: string) => void
  /** Writes down all that was seen so far. Never fails: what could not be written is kept for the next time. */
  flush: () => Promise<void>
  /** The same, but it does not wait for long: what can't be written at once is written later. */
  settle: () => Promise<void>
}

const EVERY_MS = 1000
const SETTLE_MS = 100
const DAY_MS = 86_400_000
const BATCH = 500
/** So many tokens are written at once, rather than when the second is over. */
const FULL = 10_000
/** Where nothing can be written, so many tokens a day are remembered, and no more. */
const MOST = 100_000
/** So many addresses of a key are told apart a day. */
export const MOST_ADDRESSES = 100
/** So many days what was seen is kept, the current one included. */
export const DAYS_KEPT = 90
/** What stands for all addresses beyond the first hundred. */
export const OTHER_ADDRESSES = '*'

type Day = Map<string, TokenUse>

export const createEvidence = ({ write, onFailure }: EvidenceOptions): Evidence => {
  const days = new Map<string, Day>()
  let today: Day = new Map()
  let begins = 0
  let timer: NodeJS.Timeout | undefined
  let writing: Promise<void> = Promise.resolve()
  let next: Promise<void> | undefined

  const dayAt = (now: number): Day => {
    if (now < begins || now >= begins + DAY_MS) {
      begins = now - (now % DAY_MS)
      const day = new Date(begins).toISOString().slice(0, 10)
      today = days.get(day) ?? new Map<string, TokenUse>()
      days.set(day, today)
    }
    return today
  }

  const useOf = (token: KnownToken, now: number): TokenUse | undefined => {
    const day = dayAt(now)
    const known = day.get(token.ref)
    if (known !== undefined || day.size >= MOST) return known
    const use = newUse(token)
    day.set(token.ref, use)
    if (day.size === FULL) void flush()
    startClock()
    return use
  }

  // Whoever asks while a write is under way shares the next one, which takes all that was seen until then.
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

  const startClock = (): void => {
    timer ??= setTimeout(() => {
      void flush()
    }, EVERY_MS).unref()
  }

  const writeAll = async (): Promise<void> => {
    const taken = [...days]
    days.clear()
    begins = 0
    for (const [day, uses] of taken) {
      const left = [...uses.values()]
      try {
        for (; left.length > 0; left.splice(0, BATCH)) await write(day, left.slice(0, BATCH))
      } catch (error) {
        keep(day, left)
        onFailure(error)
      }
    }
  }

  const keep = (day: string, uses: readonly TokenUse[]): void => {
    const kept: Day = days.get(day) ?? new Map<string, TokenUse>()
    days.set(day, kept)
    for (const use of uses) {
      const newer = kept.get(use.token.ref)
      kept.set(use.token.ref, newer === undefined ? use : merged(use, newer))
    }
    startClock()
  }

  return {
    used(token, scope, address, agent) {
      const now = Date.now()
      const use = useOf(token, now)
      if (use === undefined) return
      use.count++
      use.lastAt = now
      use.lastIp = address
      use.lastAgent = agent
      if (scope !== null) add(use.scopes, scope, 1)
      addAddress(use.addresses, address, 1)
    },

    refused(token, reason) {
      const use = useOf(token, Date.now())
      if (use !== undefined) add(use.refusals, reason, 1)
    },

    flush,

    settle: async () => {
      await Promise.race([flush(), wait(SETTLE_MS, undefined, { ref: false })])
    }
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

const add = (counts: Map<string, number>, label: string, count: number): void => {
  counts.set(label, (counts.get(label) ?? 0) + count)
}

const addAddress = (counts: Map<string, number>, address: string, count: number): void => {
  add(counts, counts.has(address) || counts.size < MOST_ADDRESSES ? address : OTHER_ADDRESSES, count)
}

const merged = (older: TokenUse, newer: TokenUse): TokenUse => {
  const { lastAt, lastIp, lastAgent } = newer.count > 0 ? newer : older
  for (const kind of ['scopes', 'refusals'] as const) {
    for (const [label, count] of newer[kind]) add(older[kind], label, count)
  }
  for (const [address, count] of newer.addresses) addAddress(older.addresses, address, count)
  return { ...older, count: older.count + newer.count, lastAt, lastIp, lastAgent }
}
