import type { AuditReads } from '../../domain/audits/rows.ts'
import type { KeyLookup } from '../../domain/keys/freshness/freshness.ts'
import type { KeyReader, KeyTx } from '../../domain/keys/store.ts'
import { ownTime } from '../../domain/time.ts'
import type { TransactorOf } from '../../domain/transaction.ts'
import { createAuditReads, createAuditRows } from './audits/rows.ts'
import { connect } from './connections.ts'
import { createKeyLookup } from './keys/lookup.ts'
import { createKeyReads } from './keys/reads.ts'
import { createKeyRows } from './keys/rows.ts'
import { createSqliteTransactor } from './transactor.ts'

/** A client key store in an SQLite file. */
export interface SqliteStore extends TransactorOf<KeyReader & { readonly audits: AuditReads }, KeyTx> {
  readonly keyLookup: Required<KeyLookup>
  readonly close: () => void
}

/**
 * Opens a client key store in an SQLite file, creates the file if it doesn't exist, and brings its tables up to date.
 * Other processes can use the file at the same time. Their changes take effect with the next request in this process.
 * Throws an error if the file is marked as sample data, because its keys are only for trying out the sample. Without
 * `allowCopied`, it also throws if the file has been copied to another database, because its keys are now changed
 * there.
 */
export const openSqliteStore = (path: string, options: { readonly allowCopied?: boolean } = {}): SqliteStore => {
  const { writing, reading, isSample, close } = connect(path, options)
  if (isSample) {
    close()
    throw new Error(
      'The database is marked as sample data, whose keys other services must not accept. Specify another file.'
    )
  }
  const { read, write } = createSqliteTransactor({
    writing: writing.$client,
    rows: { keys: createKeyReads(reading), audits: createAuditReads(reading), now: ownTime },
    tx: { keys: createKeyRows(writing), audits: createAuditRows(writing), now: ownTime }
  })
  return {
    read,
    write,
    keyLookup: createKeyLookup(reading.$client),
    close
  }
}
