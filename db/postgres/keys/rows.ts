import { and, eq, isNull, lte, sql } from 'drizzle-orm'
import type { SQL } from 'drizzle-orm'
import type { KeyRows } from '../../../domain/keys/rows.ts'
import { toDate, toText } from '../../instants.ts'
import { toChangedColumns, toNewColumns } from '../../key-records.ts'
import { countRows, lock, query } from '../database.ts'
import type { PostgresDatabase } from '../database.ts'
import { CHANNEL } from '../direct.ts'
import { underLock } from '../locking.ts'
import { isActiveByItself } from '../../key-conditions.ts'
import { createKeyReads } from './reads.ts'
import { clientKeyAttempts, clientKeys, clientKeyTokens, environmentKeyRevocations } from '../schema.ts'
import { createSecretRows } from './secrets.ts'
import { createUsageRows } from './usage.ts'

type RecordRows = 'insert' | 'update' | 'revoke' | 'revokeEnvironmentKey' | 'advanceRevision'
type TokenRows = 'insertToken' | 'expireTokens' | 'revokeTokens' | 'revokeToken' | 'countActiveTokens' | 'pruneTokens'
type IdempotencyRows = 'findIdempotencyRecord' | 'saveIdempotencyRecord' | 'removeIdempotencyRecords'

export const createKeyRows = (db: PostgresDatabase): KeyRows => ({
  ...createKeyReads(db),
  ...createRecordRows(db),
  ...createSecretRows(db),
  ...createTokenRows(db),
  ...createIdempotencyRows(db),
  ...createUsageRows(db)
})

/** The row of a key, to which its tokens refer. */
const rowOf = (db: PostgresDatabase, id: string): SQL =>
  sql`(${db.select({ row: clientKeys.row }).from(clientKeys).where(eq(clientKeys.id, id))})`

const ADVANCE = `
  with change as (
    insert into client_key_changes (epoch, key_id, at) select max(epoch) + 1, $1, $2 from client_key_changes
    returning epoch, nonce
  )
  select epoch, nonce, pg_notify('${CHANNEL}', '') from change
`

const createRecordRows = (db: PostgresDatabase): Pick<KeyRows, RecordRows> => ({
  // A statement of its own takes the lock: so the next one sees what was committed before it.
  advanceRevision: async keyId => {
    const { rows } = await underLock(lock(db, 'keyChanges'), query(db, ADVANCE, [keyId, toText(new Date())]))
    return { epoch: Number(rows[0]?.['epoch']), nonce: String(rows[0]?.['nonce']) }
  },

  insert: async key => {
    await db.insert(clientKeys).values(toNewColumns(key))
  },

  update: async (id, change) => {
    await db.update(clientKeys).set(toChangedColumns(change)).where(eq(clientKeys.id, id))
  },

  revoke: async (id, { at, reason }) => {
    const revocation = { revokedAt: toText(at), revokedReason: reason }
    await db.update(clientKeys).set(revocation).where(eq(clientKeys.id, id))
  },

  revokeEnvironmentKey: async (digest, { at, reason }) => {
    const insert = db.insert(environmentKeyRevocations).values({ digest, revokedAt: toText(at), revokedReason: reason })
    const inserted = await insert.onConflictDoNothing().returning({ digest: environmentKeyRevocations.digest })
    return inserted.length === 1
  }
})

const TOKENS_OF_KEY = 'client_key_tokens where client_key = (select row from client_keys where id = $1)'

// In the order in which the use of tokens locks them, so that none waits for another in a circle.
const LOCK_TOKENS = `select from ${TOKENS_OF_KEY} order by digest for update`

const EXPIRE = `
  update client_key_tokens set expires_at = $2
  where client_key = (select row from client_keys where id = $1) and (expires_at is null or expires_at > $2)
`

const REVOKE = `
  update client_key_tokens set revoked_at = $2
  where client_key = (select row from client_keys where id = $1) and revoked_at is null
`

const PRUNE = `
  delete from client_key_tokens where digest in (
    select digest from (
      select digest, revoked_at is null and (expires_at is null or expires_at > $2) as is_active from ${TOKENS_OF_KEY}
      order by is_active desc, created_at desc, digest offset $3
    ) as surplus
    where not is_active
  )
`

const createTokenRows = (db: PostgresDatabase): Pick<KeyRows, TokenRows> => ({
  insertToken: async (id, { digest, generation, hint }, createdAt) => {
    const token = { digest, generation, hint, createdAt: toText(createdAt) }
    await db.insert(clientKeyTokens).values({ clientKey: rowOf(db, id), ...token })
  },

  expireTokens: async (id, expiresAt) => {
    await Promise.all([query(db, LOCK_TOKENS, [id]), query(db, EXPIRE, [id, toText(expiresAt)])])
  },

  revokeTokens: async (id, at) => {
    await Promise.all([query(db, LOCK_TOKENS, [id]), query(db, REVOKE, [id, toText(at)])])
  },

  revokeToken: async (digest, at) => {
    const isNotRevoked = and(eq(clientKeyTokens.digest, digest), isNull(clientKeyTokens.revokedAt))
    await db
      .update(clientKeyTokens)
      .set({ revokedAt: toText(at) })
      .where(isNotRevoked)
  },

  countActiveTokens: async (id, at) =>
    await countRows(db, clientKeyTokens, and(eq(clientKeyTokens.clientKey, rowOf(db, id)), isActiveByItself(at))),

  pruneTokens: async (id, { keep, at }) => {
    await Promise.all([query(db, LOCK_TOKENS, [id]), query(db, PRUNE, [id, toText(at), keep])])
  }
})

const createIdempotencyRows = (db: PostgresDatabase): Pick<KeyRows, IdempotencyRows> => ({
  findIdempotencyRecord: async (requester, keyHash) => {
    const [found] = await db
      .select({ record: clientKeyAttempts, clientKeyId: clientKeys.id })
      .from(clientKeyAttempts)
      .innerJoin(clientKeys, eq(clientKeys.row, clientKeyAttempts.clientKey))
      .where(and(eq(clientKeyAttempts.caller, requester), eq(clientKeyAttempts.keyHash, keyHash)))
    if (found === undefined) return null
    const { requestHash, tokenDigest, at } = found.record
    return { requester, keyHash, requestHash, clientKeyId: found.clientKeyId, tokenDigest, at: toDate(at) }
  },

  saveIdempotencyRecord: async ({ requester, keyHash, requestHash, clientKeyId, tokenDigest, at }) => {
    const values = { requestHash, clientKey: rowOf(db, clientKeyId), tokenDigest, at: toText(at) }
    await db
      .insert(clientKeyAttempts)
      .values({ caller: requester, keyHash, ...values })
      .onConflictDoUpdate({ target: [clientKeyAttempts.caller, clientKeyAttempts.keyHash], set: values })
  },

  removeIdempotencyRecords: async until => {
    await db.delete(clientKeyAttempts).where(lte(clientKeyAttempts.at, toText(until)))
  }
})
