import { createBarrier } from '../../../domain/keys/freshness/barrier.ts'
import type { KeyLookup } from '../../../domain/keys/freshness/freshness.ts'
import type { Lease } from '../../../domain/keys/freshness/lease.ts'
import type { DirectConnection } from '../direct.ts'
import { toFailure } from '../failures.ts'
import { toDate } from '../../timestamps.ts'
import { toKnownToken } from '../../key-records.ts'
import type { KnownTokenRow } from '../../key-records.ts'
import { FIND_REVOCATION, FIND_TOKEN, FIND_TOKENS } from './tokens.ts'
import type { RevocationRow } from './tokens.ts'

/**
 * Creates the lookup for authenticated requests. Cached rows are valid until the lease expires. Other rows are read on
 * a direct connection, several at a time. Requests in the same turn of the event loop share a barrier even if there is
 * nothing to read, so that their responses are sent together, which saves wake-ups.
 */
export const createKeyLookup = (
  { query }: Pick<DirectConnection, 'query'>,
  lease: Lease,
  now: () => number
): Required<KeyLookup> => {
  const findAll = async <Row extends unknown[]>(name: string, text: string, value: unknown): Promise<Row[]> => {
    try {
      return await query<Row>({ name, text, values: [value] })
    } catch (error) {
      throw toFailure(error)
    }
  }
  const find = async <Row extends unknown[]>(name: string, text: string, digest: string): Promise<Row | undefined> =>
    (await findAll<Row>(name, text, Buffer.from(digest, 'hex')))[0]
  const hasLease = (): boolean => lease.remaining() > 0
  const shared = createBarrier(() => (hasLease() ? undefined : lease.barrier()))
  return {
    // Without a lease, a request doesn't share reads with others, because each wait has its own limit.
    barrier: () => (hasLease() ? shared() : lease.barrier()),
    mark: lease.mark,
    isFresh: lease.isFresh,
    now,
    findByDigest: async digest => {
      const row = await find<KnownTokenRow>('find_token', FIND_TOKEN, digest)
      return row === undefined ? null : toKnownToken(digest, row)
    },
    findByDigests: async digests => {
      const values = digests.map(digest => Buffer.from(digest, 'hex'))
      const rows = await findAll<[digest: string, ...row: KnownTokenRow]>('find_tokens', FIND_TOKENS, values)
      return new Map(rows.map(([digest, ...row]) => [digest, toKnownToken(digest, row)]))
    },
    findRevocation: async digest => {
      const row = await find<RevocationRow>('find_revocation', FIND_REVOCATION, digest)
      return row === undefined ? null : toDate(row[0])
    }
  }
}
