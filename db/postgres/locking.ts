import type { PostgresDatabase } from './database.ts'
import { query } from './database.ts'
import type { Outbox } from './transaction.ts'

/**
 * Returns the result of a statement that needs a lock. The statement is sent together with the one that takes the lock,
 * and the database runs it after the lock is taken. Must be called in a transaction.
 */
export const underLock = async <T>(locked: Promise<unknown>, done: PromiseLike<T>): Promise<T> => {
  const result = Promise.resolve(done)
  // If the lock can't be taken, later statements of the transaction fail too. The lock's error contains the reason.
  result.catch(() => {})
  await locked
  return await result
}

/** Locks an organization against changes to it and its members. Other transactions can hold the same lock. */
export const shareOrganization = async (db: PostgresDatabase, id: number): Promise<void> => {
  await query(db, 'select 1 from organizations where id = $1 for share', [id])
}

/**
 * Ensures that a change to keys first waits for a table that another program may have locked, and only then takes the
 * lock for all changes. Revoking a managed key doesn't write to any of the tables that can be passed here.
 */
export const awaitTable = (
  { defer }: Outbox,
  table: 'client_key_attempts' | 'client_key_tokens' | 'environment_key_revocations' | 'secret_generations' | 'services'
): void => {
  defer('lock', async db => await query(db, `lock table ${table} in row exclusive mode`))
}
