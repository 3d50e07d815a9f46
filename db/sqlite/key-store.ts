import type { AuditReads } from '../../domain/audits/rows.ts'
import type { KeyLookup } from '../../domain/keys/freshness/freshness.ts'
import type { KeyLook, KeyTx } from '../../domain/keys/store.ts'
import { ownTime } from '../../domain/time.ts'
import type { TransactorOf } from '../../domain/transaction.ts'
import { createAuditReads, createAuditRows } from './audits/rows.ts'
import { connect } from './connections.ts'
import { createKeyLookup } from './keys/lookup.ts'
import { createKeyReads } from './keys/reads.ts'
import { createKeyRows } from './keys/rows.ts'
import { createSqliteTransactor } from './transactor.ts'

/** A store of client keys in an SQLite file. */
export interface SqliteStore extends TransactorOf<KeyLook & { readonly audits: AuditReads }, KeyTx> {
  readonly keyLookup: Required<KeyLookup>
  readonly close: () => void
}

/**
 * Opens a store of client keys in an SQLite file, makes it where there is none, and brings its tables up to date. Other
 * processes may use the file meanwhile, and what they change is obeyed by the next request here. Throws where the file
 * is marked as sample data: its keys are for a look at that. Without `allowCopied` it throws as well if the file was
 * copied to another database, where its keys are changed now.
 */
export const openSqliteStore = (path: string, options: { readonly allowCopied?: boolean } = {}): SqliteStore => {
  const { writing, reading, isSample, close } = connect(path, options)
  if (isSample) {
    close()
    throw new Error('The database is marked as sample data, whose keys are for no other service. Name another file.')
  }
  return {
    ...createSqliteTransactor({
      writing: writing.$client,
      rows: { keys: createKeyReads(reading), audits: createAuditReads(reading), now: ownTime },
      tx: { keys: createKeyRows(writing), audits: createAuditRows(writing), now: ownTime }
    }),
    keyLookup: createKeyLookup(reading.$client),
    close
  }
}
