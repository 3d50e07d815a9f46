import { createBarrier } from '../../../domain/keys/freshness/barrier.ts'
import type { KeyLookup } from '../../../domain/keys/freshness/freshness.ts'
import { ownMilliseconds } from '../../../domain/time.ts'
import type { Connection } from '../driver.ts'
import { tokensByDigest } from '../../key-records.ts'
import { createTokenReads } from './tokens.ts'
import { readNow } from '../transactor.ts'

interface SqliteKeyLookup extends Required<KeyLookup> {
  /** Returns the number of changes at the last barrier. */
  readonly epoch: () => number
}

/**
 * Creates the lookup for authenticated requests, on the reading connection.
 *
 * The pragma shows whether another connection, in this or another process, has committed anything
 * (https://sqlite.org/pragma.html#pragma_data_version). The revision is read only after another connection has
 * committed something.
 */
export const createKeyLookup = (reading: Connection): SqliteKeyLookup => {
  const readDataVersion = reading.prepare<[], number>('pragma data_version').pluck()
  const readRevision = reading.prepare<[], number>('select epoch from client_key_epoch').pluck()
  const { findToken, findRevocation } = createTokenReads(reading)

  let revision = 0
  // The data version at which the revision was read.
  let dataVersion: number | undefined

  const refresh = (): void => {
    const version = readDataVersion.get()
    if (version === dataVersion) return
    revision = Number(readRevision.get())
    dataVersion = version
  }

  return {
    barrier: createBarrier(() => {
      readNow(refresh)
    }),
    mark: () => revision,
    isFresh: mark => mark === revision,
    epoch: () => revision,
    now: ownMilliseconds,
    findByDigest: digest => readNow(() => findToken(digest)),
    findByDigests: digests => readNow(() => tokensByDigest(digests, findToken)),
    findRevocation: digest => readNow(() => findRevocation(digest))
  }
}
