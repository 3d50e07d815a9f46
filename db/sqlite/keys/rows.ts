import { and, asc, count, desc, eq, gt, isNull, lte, or, sql } from 'drizzle-orm'
import type { SQL } from 'drizzle-orm'
import type { KeyRows } from '../../../domain/keys/rows.ts'
import { toDate, toText } from '../../instants.ts'
import { toChangedColumns, toNewColumns } from '../../key-records.ts'
import type { SqliteDatabase } from '../database.ts'
import { isActiveByItself } from '../../key-conditions.ts'
import { createKeyReads } from './reads.ts'
import { RowMissing } from '../../row-missing.ts'
import { clientKeyAttempts, clientKeyEpoch, clientKeys, clientKeyTokens, environmentKeyRevocations } from '../schema.ts'
import { createSecretRows } from './secrets.ts'
import { createUsageRows } from './usage.ts'

/** SQLite takes no offset without a limit, and Drizzle no negative one. */
const ALL_TOKENS = Number.MAX_SAFE_INTEGER

type RecordRows = 'insert' | 'update' | 'revoke' | 'revokeEnvironmentKey' | 'advanceRevision'
type TokenRows = 'insertToken' | 'expireTokens' | 'revokeTokens' | 'revokeToken' | 'countActiveTokens' | 'pruneTokens'
type IdempotencyRows = 'findIdempotencyRecord' | 'saveIdempotencyRecord' | 'removeIdempotencyRecords'

export const createKeyRows = (db: SqliteDatabase): KeyRows => ({
  ...createKeyReads(db),
  ...createRecordRows(db),
  ...createSecretRows(db),
  ...createTokenRows(db),
  ...createIdempotencyRows(db),
  ...createUsageRows(db)
})

/** The row of a key, to which its tokens refer. */
const rowOf = (db: SqliteDatabase, id: string): SQL =>
  sql`(${db.select({ row: clientKeys.row }).from(clientKeys).where(eq(clientKeys.id, id))})`

const createRecordRows = (db: SqliteDatabase): Pick<KeyRows, RecordRows> => ({
  // The transaction has the whole database to itself.
  advanceRevision: async () => {
    const set = { epoch: sql`epoch + 1` }
    const [row] = db.update(clientKeyEpoch).set(set).returning().all()
    if (row === undefined) throw new RowMissing('the row of client_key_epoch is not there')
    return { epoch: row.epoch, nonce: '' }
  },

  insert: async key => {
    db.insert(clientKeys).values(toNewColumns(key)).run()
  },

  update: async (id, change) => {
    db.update(clientKeys).set(toChangedColumns(change)).where(eq(clientKeys.id, id)).run()
  },

  revoke: async (id, { at, reason }) => {
    db.update(clientKeys)
      .set({ revokedAt: toText(at), revokedReason: reason })
      .where(eq(clientKeys.id, id))
      .run()
  },

  revokeEnvironmentKey: async (digest, { at, reason }) =>
    db
      .insert(environmentKeyRevocations)
      .values({ digest, revokedAt: toText(at), revokedReason: reason })
      .onConflictDoNothing()
      .run().changes === 1
})

const pruneTokens = (db: SqliteDatabase, id: string, keep: number, at: Date): void => {
  const isActive = sql<number>`${isActiveByItself(at)}`
  const surplus = db
    .select({ digest: clientKeyTokens.digest, isActive })
    .from(clientKeyTokens)
    .where(eq(clientKeyTokens.clientKey, rowOf(db, id)))
    .orderBy(desc(isActive), desc(clientKeyTokens.createdAt), asc(clientKeyTokens.digest))
    .limit(ALL_TOKENS)
    .offset(keep)
    .all()
  for (const token of surplus) {
    if (token.isActive === 0) db.delete(clientKeyTokens).where(eq(clientKeyTokens.digest, token.digest)).run()
  }
}

const revokeTokens = (db: SqliteDatabase, condition: SQL, at: Date): void => {
  db.update(clientKeyTokens)
    .set({ revokedAt: toText(at) })
    .where(and(condition, isNull(clientKeyTokens.revokedAt)))
    .run()
}

const createTokenRows = (db: SqliteDatabase): Pick<KeyRows, TokenRows> => ({
  insertToken: async (id, { digest, generation, hint }, createdAt) => {
    db.insert(clientKeyTokens)
      .values({ clientKey: sql`${rowOf(db, id)}`, digest, generation, hint, createdAt: toText(createdAt) })
      .run()
  },

  expireTokens: async (id, expiresAt) => {
    const until = toText(expiresAt)
    db.update(clientKeyTokens)
      .set({ expiresAt: until })
      .where(
        and(
          eq(clientKeyTokens.clientKey, rowOf(db, id)),
          or(isNull(clientKeyTokens.expiresAt), gt(clientKeyTokens.expiresAt, until))
        )
      )
      .run()
  },

  revokeTokens: async (id, at) => {
    revokeTokens(db, eq(clientKeyTokens.clientKey, rowOf(db, id)), at)
  },

  revokeToken: async (digest, at) => {
    revokeTokens(db, eq(clientKeyTokens.digest, digest), at)
  },

  countActiveTokens: async (id, at) =>
    Number(
      db
        .select({ tokens: count() })
        .from(clientKeyTokens)
        .where(and(eq(clientKeyTokens.clientKey, rowOf(db, id)), isActiveByItself(at)))
        .get()?.tokens
    ),

  pruneTokens: async (id, { keep, at }) => {
    pruneTokens(db, id, keep, at)
  }
})

const createIdempotencyRows = (db: SqliteDatabase): Pick<KeyRows, IdempotencyRows> => ({
  findIdempotencyRecord: async (requester, keyHash) => {
    const found = db
      .select({ record: clientKeyAttempts, clientKeyId: clientKeys.id })
      .from(clientKeyAttempts)
      .innerJoin(clientKeys, eq(clientKeys.row, clientKeyAttempts.clientKey))
      .where(and(eq(clientKeyAttempts.caller, requester), eq(clientKeyAttempts.keyHash, keyHash)))
      .get()
    if (found === undefined) return null
    const { requestHash, tokenDigest, at } = found.record
    return { requester, keyHash, requestHash, clientKeyId: found.clientKeyId, tokenDigest, at: toDate(at) }
  },

  saveIdempotencyRecord: async ({ requester, keyHash, requestHash, clientKeyId, tokenDigest, at }) => {
    const values = { requestHash, clientKey: sql`${rowOf(db, clientKeyId)}`, tokenDigest, at: toText(at) }
    db.insert(clientKeyAttempts)
      .values({ caller: requester, keyHash, ...values })
      .onConflictDoUpdate({ target: [clientKeyAttempts.caller, clientKeyAttempts.keyHash], set: values })
      .run()
  },

  removeIdempotencyRecords: async until => {
    db.delete(clientKeyAttempts)
      .where(lte(clientKeyAttempts.at, toText(until)))
      .run()
  }
})
