import { tokensByDigest } from '../key-records.ts'
import type { AuditReads } from '../../domain/audits/rows.ts'
import type { KeyLookup } from '../../domain/keys/freshness/freshness.ts'
import type { KeyReader, KeyTx } from '../../domain/keys/store.ts'
import { ownMilliseconds, ownTime } from '../../domain/time.ts'
import type { TransactorOf } from '../../domain/transaction.ts'
import { createQueue, refuseCancelled } from '../transactor.ts'
import { createAuditReads, createAuditRows } from './audit-rows.ts'
import { createKeyRows } from './key-rows.ts'
import { createKeyReads, findRevocation, findToken } from './key-reads.ts'
import { createTables } from './tables.ts'

/** A client key store in the process's memory. */
export interface MemoryStore extends TransactorOf<KeyReader & { readonly audits: AuditReads }, KeyTx> {
  readonly keyLookup: Required<KeyLookup>
}

const PASSED = Promise.resolve()

/**
 * Creates a client key store for tests and trials. Its data is lost when the process exits. Its reads search all rows.
 * Transactions run one after another, and a transaction's writes aren't visible to others until it ends.
 */
export const createMemoryStore = (): MemoryStore => {
  const committed = createTables()
  const rows = { keys: createKeyReads(committed), audits: createAuditReads(committed), now: ownTime }
  const enqueue = createQueue()
  const revision = (): number => committed.revision.get('') ?? 0
  return {
    read: async (work, { signal } = {}) => {
      refuseCancelled(signal)
      return await work(rows)
    },
    write: async work =>
      await enqueue(async () => {
        const { tables, commit } = committed.draft()
        const result = await work({ keys: createKeyRows(tables), audits: createAuditRows(tables), now: ownTime })
        commit()
        return result
      }),
    keyLookup: {
      // Only this process can change its memory, so reads are always current.
      barrier: () => PASSED,
      mark: revision,
      now: ownMilliseconds,
      isFresh: mark => mark === revision(),
      findByDigest: digest => findToken(committed, digest),
      findByDigests: digests => tokensByDigest(digests, digest => findToken(committed, digest)),
      findRevocation: digest => findRevocation(committed, digest)
    }
  }
}
