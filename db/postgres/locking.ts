import type { PostgresDatabase } from './database.ts'
import { query } from './database.ts'
import type { Outbox } from './transaction.ts'

/**
 * Answers what is read or written under a lock: what it does is sent together with the statement that takes the lock,
 * and the database does it once it has the lock. To be called in a transaction.
 */
export const underLock = async <T>(locked: Promise<unknown>, done: PromiseLike<T>): Promise<T> => {
  const result = Promise.resolve(done)
  // Where the lock can't be had, what comes after it in the transaction fails too; the lock tells why.
  result.catch(() => {})
  await locked
  return await result
}

/** Locks the organization of an id, as it is, against changes of it and of its members; others may do so as well. */
export const shareOrganization = async (db: PostgresDatabase, id: number): Promise<void> => {
  await query(db, 'select 1 from organizations where id = $1 for share', [id])
}

/**
 * Has a change of keys wait for a table that an outsider may have locked before it takes the lock of all changes. The
 * revocation of a managed key writes none of these tables.
 */
export const awaitTable = (
  { defer }: Outbox,
  table: 'client_key_attempts' | 'client_key_tokens' | 'environment_key_revocations' | 'secret_generations'
): void => {
  defer('lock', async db => await query(db, `lock table ${table} in row exclusive mode`))
}
