import { createWatch } from '../../background.ts'
import type { BackgroundHooks } from '../../background.ts'
import type { KeyService } from '../service.ts'
import { expiringKeys } from './expiry.ts'

const DAY_MS = 86_400_000
const DAYS = [1, 7, 30] as const

/** The age in milliseconds after which the counts are read again. */
const MAX_AGE_MS = 600_000

/** The number of active managed keys that expire within `days` days. */
export interface ExpiryCount {
  readonly days: number
  readonly keys: number
}

export interface ExpiryCounts {
  /**
   * Returns the most recent counts, which are empty before the first read. If the counts are old, also starts another
   * read in the background, so that no request waits for the database. If that read fails, the previous counts are
   * kept.
   */
  readonly latest: () => readonly ExpiryCount[]
  /** Resolves when no read is in progress. */
  readonly settled: () => Promise<void>
}

export interface ExpiryCountsOptions {
  readonly keys: Pick<KeyService, 'list' | 'now'>
  readonly background: BackgroundHooks
  /** Returns the time of a monotonic clock in milliseconds. Defaults to `performance.now`. */
  readonly elapsed?: () => number
}

/** Creates a cache for the numbers of keys that expire soon. */
export const createExpiryCounts = ({
  keys,
  background,
  elapsed = () => performance.now()
}: ExpiryCountsOptions): ExpiryCounts => {
  const watch = createWatch('count the client keys that expire soon', background)
  let counts: readonly ExpiryCount[] = []
  let readAt = -Infinity
  let reading = Promise.resolve()

  const read = async (): Promise<void> => {
    counts = (await watch.attempt(async () => await countExpiring(keys))) ?? counts
  }

  return {
    latest: () => {
      if (elapsed() - readAt > MAX_AGE_MS) {
        readAt = elapsed()
        reading = read()
      }
      return counts
    },
    settled: async () => {
      await reading
    }
  }
}

const countExpiring = async (keys: ExpiryCountsOptions['keys']): Promise<ExpiryCount[]> => {
  const now = keys.now()
  const until = (days: number): Date => new Date(now + days * DAY_MS)
  const counts = DAYS.map(days => ({ days, until: until(days), keys: 0 }))
  for await (const { expiresAt } of expiringKeys(keys, new Date(now), until(Math.max(...DAYS)), { enabled: true })) {
    for (const count of counts) if (expiresAt < count.until) count.keys++
  }
  return counts.map(({ days, keys }) => ({ days, keys }))
}
