import { setImmediate } from 'node:timers/promises'
import type { ReadOptions } from '../transaction.ts'
import type { Transactor } from '../transactor.ts'
import type { Audit, NewAudit } from './audit.ts'
import { verifyTrail } from './chain.ts'
import type { Verification } from './chain.ts'
import type { AuditFilter, AuditHead, AuditReads, AuditRows } from './rows.ts'

const BATCH_SIZE = 1000

/** Appends an entry to the trail, chained to the previous one. Must be called in the same transaction as the change. */
export const appendAudit = async (
  audits: AuditRows,
  { at, source: { actor, address, requestId }, action, subject, changes }: NewAudit
): Promise<void> => {
  await audits.append({ at, actor, action, subject, changes: JSON.stringify(changes), address, requestId })
}

/** Reads and verifies the audit trail. Other services append to it with `appendAudit`. */
export interface AuditService {
  /** Returns a page of the matching entries with sequences less than `before`, newest first. */
  page: (
    filter: AuditFilter,
    page: { readonly limit: number; readonly before?: number | undefined },
    options?: ReadOptions
  ) => Promise<{ audits: Audit[]; more: boolean }>
  /** Yields all entries in order. Reads them in batches, and lets the event loop run between batches. */
  trail: () => AsyncGenerator<Audit, void>
  /**
   * Returns the stored head: the sequence and hash of the last appended entry, even if that entry was removed later.
   */
  head: () => Promise<AuditHead>
  /**
   * Verifies the trail, which may grow in the meantime. If `recordedHead` is specified, also compares the trail with
   * it: see `verifyTrail`.
   */
  verify: (recordedHead?: AuditHead) => Promise<Verification>
}

export const createAuditService = ({ read }: Pick<Transactor<{ audits: AuditReads }>, 'read'>): AuditService => {
  const head = async (): Promise<AuditHead> => await read(async ({ audits }) => await audits.head())

  async function* trail(): AsyncGenerator<Audit, void> {
    for (let after: number | undefined = Number.MIN_SAFE_INTEGER; after !== undefined;) {
      const start: number = after
      const batch = await read(async ({ audits }) => await audits.inOrder({ limit: BATCH_SIZE, after: start }))
      yield* batch
      after = batch.length < BATCH_SIZE ? undefined : batch.at(-1)?.sequence
      await setImmediate()
    }
  }

  return {
    head,
    trail,

    page: async (filter, { limit, before }, options) => {
      const page = { limit: limit + 1, before }
      const found = await read(async ({ audits }) => await audits.newest(filter, page), options)
      return { audits: found.slice(0, limit), more: found.length > limit }
    },

    verify: async recordedHead => {
      const result = await verifyTrail(trail(), await head(), recordedHead)
      const { sequence } = await head()
      return result.whole && result.head.sequence > sequence
        ? { whole: false, sequence: sequence + 1, fault: 'was inserted' }
        : result
    }
  }
}
