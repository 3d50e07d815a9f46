import { createWatch } from '../../background.ts'
import type { BackgroundHooks } from '../../background.ts'
import type { KeyService } from '../service.ts'
import { expiringKeys } from './expiry.ts'

const DAY_MS = 86_400_000
const DAYS = [1, 7, 30] as const

/** The age in ms from which counts are read again. */
const MAX_AGE_MS = 600_000

/** How many active managed keys expire within a number of days. */
export interface ExpiryCount {
  readonly days: number
  readonly keys: number
}

export interface ExpiryCounts {
  /**
   * Returns the counts of the last reading; none before the first. If they are old, reads them again in the background,
   * so that nobody waits for the database. The counts of a reading that fails stay those of the one before.
   */
  readonly latest: () => readonly ExpiryCount[]
  /** Resolves when no reading is under way. */
  readonly settled: () => Promise<void>
}

export interface ExpiryCountsOptions {
  readonly keys: Pick<KeyService, 'list' | 'now'>
  readonly background: BackgroundHooks
  /** Returns the ms since any instant, and never goes back. */
  readonly elapsed?: () => number
}

/** Creates the counts of the keys that expire soon. */
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
