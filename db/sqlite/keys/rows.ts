import { and, eq, gt, inArray, isNull, lte, or, sql } from 'drizzle-orm'
import type { SQL } from 'drizzle-orm'
import type { KeyRows } from '../../../domain/keys/rows.ts'
import { toDate, toText } from '../../timestamps.ts'
import { toChangedColumns, toNewColumns } from '../../key-records.ts'
import type { SqliteDatabase } from '../database.ts'
import { createKeyReads } from './reads.ts'
import { RowMissing } from '../../row-missing.ts'
import {
  clientKeyAttempts,
  clientKeyChanges,
  clientKeyEpoch,
  clientKeys,
  clientKeyTokens,
  environmentKeyRevocations
} from '../schema.ts'
import { createOwnerRows } from './owners.ts'
import { createSecretRows } from './secrets.ts'
import { createUsageRows } from './usage.ts'

type RecordRows = 'insert' | 'update' | 'revoke' | 'revokeEnvironmentKey' | 'advanceRevision'
type TokenRows = 'insertToken' | 'expireTokens' | 'revokeTokens' | 'revokeToken' | 'removeTokens'
type IdempotencyRows =
  'findIdempotencyRecord' | 'insertIdempotencyRecord' | 'updateIdempotencyRecord' | 'removeIdempotencyRecords'

export const createKeyRows = (db: SqliteDatabase): KeyRows => ({
  ...createKeyReads(db),
  ...createRecordRows(db),
  ...createOwnerRows(db),
  ...createSecretRows(db),
  ...createTokenRows(db),
  ...createIdempotencyRows(db),
  ...createUsageRows(db)
})

/** Selects the row number of the given key, to which its tokens refer. */
const rowOf = (db: SqliteDatabase, id: string): SQL =>
  sql`(${db.select({ row: clientKeys.row }).from(clientKeys).where(eq(clientKeys.id, id))})`

const createRecordRows = (db: SqliteDatabase): Pick<KeyRows, RecordRows> => ({
  // The transaction has exclusive access to the database.
  advanceRevision: async () => {
    const set = { epoch: sql`epoch + 1` }
    const [row] = db.update(clientKeyEpoch).set(set).returning().all()
    if (row === undefined) throw new RowMissing('the row of client_key_epoch is missing')
    // A trigger has added the change.
    const change = db.select().from(clientKeyChanges).where(eq(clientKeyChanges.epoch, row.epoch)).get()
    return { position: Promise.resolve({ epoch: row.epoch, nonce: String(change?.nonce) }) }
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

  revokeEnvironmentKey: async (digest, { at, reason }) => {
    db.insert(environmentKeyRevocations)
      .values({ digest, revokedAt: toText(at), revokedReason: reason })
      .run()
  }
})

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

  removeTokens: async digests => {
    db.delete(clientKeyTokens)
      .where(inArray(clientKeyTokens.digest, [...digests]))
      .run()
  }
})

const createIdempotencyRows = (db: SqliteDatabase): Pick<KeyRows, IdempotencyRows> => ({
  findIdempotencyRecord: async (requester, keyHash) => {
    const found = db
      .select({ record: clientKeyAttempts, clientKeyId: clientKeys.id })
      .from(clientKeyAttempts)
      .innerJoin(clientKeys, eq(clientKeys.row, clientKeyAttempts.clientKey))
      .where(and(eq(clientKeyAttempts.requester, requester), eq(clientKeyAttempts.keyHash, keyHash)))
      .get()
    if (found === undefined) return null
    const { requestHash, tokenDigest, at } = found.record
    return { requester, keyHash, requestHash, clientKeyId: found.clientKeyId, tokenDigest, at: toDate(at) }
  },

  insertIdempotencyRecord: async ({ requester, keyHash, requestHash, clientKeyId, tokenDigest, at }) => {
    const clientKey = sql`${rowOf(db, clientKeyId)}`
    db.insert(clientKeyAttempts)
      .values({ requester, keyHash, requestHash, clientKey, tokenDigest, at: toText(at) })
      .run()
  },

  updateIdempotencyRecord: async ({ requester, keyHash, tokenDigest }) => {
    db.update(clientKeyAttempts)
      .set({ tokenDigest })
      .where(and(eq(clientKeyAttempts.requester, requester), eq(clientKeyAttempts.keyHash, keyHash)))
      .run()
  },

  removeIdempotencyRecords: async until => {
    db.delete(clientKeyAttempts)
      .where(lte(clientKeyAttempts.at, toText(until)))
      .run()
  }
})
