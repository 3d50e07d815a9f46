import { createBarrier } from '../../../domain/keys/freshness/barrier.ts'
import type { KeyLookup } from '../../../domain/keys/freshness/freshness.ts'
import type { Lease } from '../../../domain/keys/freshness/lease.ts'
import type { DirectConnection } from '../direct.ts'
import { toFailure } from '../failures.ts'
import { toDate } from '../../instants.ts'
import { toKnownToken } from '../../key-records.ts'
import type { KnownTokenRow } from '../../key-records.ts'
import { FIND_REVOCATION, FIND_TOKEN } from './tokens.ts'
import type { RevocationRow } from './tokens.ts'

/**
 * Creates the look-up of authenticated requests. What was read holds while the lease runs; what is not cached is read
 * on the connection of the lease, several at a time. Requests of one turn of the event loop share its barrier although
 * there is nothing to read: their replies leave together, which saves wake-ups.
 */
export const createKeyLookup = (
  { query }: Pick<DirectConnection, 'query'>,
  lease: Lease,
  now: () => number
): Required<KeyLookup> => {
  const find = async <Row extends unknown[]>(name: string, text: string, digest: string): Promise<Row | undefined> => {
    try {
      return (await query<Row>({ name, text, values: [Buffer.from(digest, 'hex')] }))[0]
    } catch (error) {
      throw toFailure(error)
    }
  }
  const hasLease = (): boolean => lease.remaining() > 0
  const shared = createBarrier(() => (hasLease() ? undefined : lease.barrier()))
  return {
    // Who finds no lease waits for no read of others: each wait has a limit of its own.
    barrier: () => (hasLease() ? shared() : lease.barrier()),
    mark: lease.mark,
    isFresh: lease.isFresh,
    now,
    findByDigest: async digest => {
      const row = await find<KnownTokenRow>('find_token', FIND_TOKEN, digest)
      return row === undefined ? null : toKnownToken(digest, row)
    },
    findRevocation: async digest => {
      const row = await find<RevocationRow>('find_revocation', FIND_REVOCATION, digest)
      return row === undefined ? null : toDate(row[0])
    }
  }
}
