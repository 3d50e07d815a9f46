import { DAYS_KEPT } from '../domain/keys/evidence.ts'
import { UsageError } from './failures.ts'

/** How many days a command looks back unless told. */
export const DEFAULT_DAYS = '30'

/** Reads a number of days for which counts are kept. Throws a UsageError. */
export const toDays = (days: string): number => {
  if (!/^[1-9]\d?$/.test(days) || Number(days) > DAYS_KEPT) {
    throw new UsageError(`--days must be a number from 1 to ${DAYS_KEPT}.`)
  }
  return Number(days)
}
