import { and, eq, sql } from 'drizzle-orm'
import type { SQL } from 'drizzle-orm'
import { NodesOutdated } from '../../../domain/errors.ts'
import { ALL_KEYS } from '../../../domain/keys/freshness/lease-store.ts'
import type { KeyRows } from '../../../domain/keys/rows.ts'
import { toDate, toText } from '../../timestamps.ts'
import { toChangedColumns, toNewColumns } from '../../key-records.ts'
import { query, send } from '../database.ts'
import { awaitTable } from '../locking.ts'
import type { PostgresDatabase } from '../database.ts'
import type { Outbox } from '../transaction.ts'
import { advance, createNotedReads, HAS_OUTDATED_NODES } from './change.ts'
import type { Attempt } from './change.ts'
import { createKeyReads } from './reads.ts'
import { clientKeyAttempts, clientKeys, clientKeyTokens, environmentKeyRevocations } from '../schema.ts'
import { createOwnerRows, shareOwner } from './owners.ts'
import { createSecretRows } from './secrets.ts'
import { createUsageRows } from './usage.ts'

type RecordRows = 'insert' | 'update' | 'revoke' | 'revokeEnvironmentKey' | 'advanceRevision'
type TokenRows = 'insertToken' | 'expireTokens' | 'revokeTokens' | 'revokeToken' | 'removeTokens'
type IdempotencyRows =
  'findIdempotencyRecord' | 'insertIdempotencyRecord' | 'updateIdempotencyRecord' | 'removeIdempotencyRecords'

/** Creates the rows for an attempt to change keys. Its writes are sent together with its commit. */
export const createKeyRows = (db: PostgresDatabase, attempt: Attempt, outbox: Outbox): KeyRows => {
  const reads = createKeyReads(db)
  return {
    ...reads,
    ...createNotedReads(reads, attempt),
    ...createRecordRows(db, attempt, outbox),
    ...createOwnerRows(db),
    ...createSecretRows(db, attempt, outbox),
    ...createTokenRows(outbox),
    ...createIdempotencyRows(db, outbox),
    ...createUsageRows(db, outbox)
  }
}

/** Selects the key's row number, to which its tokens refer. */
const rowOf = (db: PostgresDatabase, id: string): SQL =>
  sql`(${db.select({ row: clientKeys.row }).from(clientKeys).where(eq(clientKeys.id, id))})`

const LOCK_KEY = 'select from client_keys where id = $1 for no key update'
const SHARE_KEY = 'select from client_keys where id = $1 for key share'

/**
 * Throws NodesOutdated if a node would continue to accept keys after a change to all keys. `advance` checks this again
 * before the commit.
 */
const refuseOutdatedNodes = async (db: PostgresDatabase): Promise<void> => {
  if ((await query(db, `select ${HAS_OUTDATED_NODES} as found`)).rows[0]?.['found'] === true) throw new NodesOutdated()
}

const createRecordRows = (db: PostgresDatabase, attempt: Attempt, outbox: Outbox): Pick<KeyRows, RecordRows> => {
  const { defer } = outbox
  const writeKey = (id: string, columns: Partial<typeof clientKeys.$inferInsert>): void => {
    defer('lock', async db => await query(db, LOCK_KEY, [id]))
    defer('write', async db => await send(db, db.update(clientKeys).set(columns).where(eq(clientKeys.id, id))))
  }
  return {
    advanceRevision: async keyId => {
      if (keyId === ALL_KEYS) await refuseOutdatedNodes(db)
      advance(attempt, outbox, keyId)
      return { position: attempt.change.position }
    },

    insert: async key => {
      if (key.owner !== null) shareOwner(outbox, key.owner)
      defer('write', async db => await send(db, db.insert(clientKeys).values(toNewColumns(key))))
    },

    update: async (id, change) => {
      if (typeof change.owner === 'string') shareOwner(outbox, change.owner)
      writeKey(id, toChangedColumns(change))
    },

    revoke: async (id, { at, reason }) => {
      writeKey(id, { revokedAt: toText(at), revokedReason: reason })
    },

    revokeEnvironmentKey: async (digest, { at, reason }) => {
      const values = { digest, revokedAt: toText(at), revokedReason: reason }
      awaitTable(outbox, 'environment_key_revocations')
      defer('write', async db => await send(db, db.insert(environmentKeyRevocations).values(values)))
    }
  }
}

const TOKENS_OF_KEY = 'client_key = (select row from client_keys where id = $1)'

// Locks tokens in the same order as the statements that record usage, to prevent deadlocks.
const LOCK_TOKENS = `select from client_key_tokens where ${TOKENS_OF_KEY} order by digest for update`

const EXPIRE = `
  update client_key_tokens set expires_at = $2
  where ${TOKENS_OF_KEY} and (expires_at is null or expires_at > $2)
`

const REVOKE = `update client_key_tokens set revoked_at = $2 where ${TOKENS_OF_KEY} and revoked_at is null`

const LOCK_TOKEN = 'select from client_key_tokens where digest = any($1::bytea[]) order by digest for update'

const REVOKE_TOKEN = 'update client_key_tokens set revoked_at = $2 where digest = $1 and revoked_at is null'

const REMOVE_TOKENS = 'delete from client_key_tokens where digest = any($1::bytea[])'

const bytesOf = (digest: string): Buffer => Buffer.from(digest, 'hex')

const createTokenRows = (outbox: Outbox): Pick<KeyRows, TokenRows> => {
  const { defer } = outbox
  const writeTokens = (id: string, statement: string, at: Date): void => {
    defer('lock', async db => await query(db, LOCK_TOKENS, [id]))
    defer('write', async db => await query(db, statement, [id, toText(at)]))
  }
  return {
    insertToken: async (id, { digest, generation, hint }, createdAt) => {
      const token = { digest, generation, hint, createdAt: toText(createdAt) }
      awaitTable(outbox, 'client_key_tokens')
      // Takes the same lock as the foreign key.
      defer('lock', async db => await query(db, SHARE_KEY, [id]))
      defer(
        'write',
        async db => await send(db, db.insert(clientKeyTokens).values({ clientKey: rowOf(db, id), ...token }))
      )
    },

    expireTokens: async (id, expiresAt) => {
      writeTokens(id, EXPIRE, expiresAt)
    },

    revokeTokens: async (id, at) => {
      writeTokens(id, REVOKE, at)
    },

    revokeToken: async (digest, at) => {
      defer('lock', async db => await query(db, LOCK_TOKEN, [[bytesOf(digest)]]))
      defer('write', async db => await query(db, REVOKE_TOKEN, [bytesOf(digest), toText(at)]))
    },

    removeTokens: async digests => {
      defer('lock', async db => await query(db, LOCK_TOKEN, [digests.map(bytesOf)]))
      defer('write', async db => await query(db, REMOVE_TOKENS, [digests.map(bytesOf)]))
    }
  }
}

// Skips records that another transaction has locked. The next removal deletes them.
const REMOVE_RECORDS = `
  delete from client_key_attempts where (caller, key_hash) in (
    select caller, key_hash from client_key_attempts where at <= $1 for update skip locked
  )
`

const createIdempotencyRows = (db: PostgresDatabase, outbox: Outbox): Pick<KeyRows, IdempotencyRows> => ({
  findIdempotencyRecord: async (requester, keyHash) => {
    const [found] = await db
      .select({ record: clientKeyAttempts, clientKeyId: clientKeys.id })
      .from(clientKeyAttempts)
      .innerJoin(clientKeys, eq(clientKeys.row, clientKeyAttempts.clientKey))
      .where(isRequest(requester, keyHash))
    if (found === undefined) return null
    const { requestHash, tokenDigest, at } = found.record
    return { requester, keyHash, requestHash, clientKeyId: found.clientKeyId, tokenDigest, at: toDate(at) }
  },

  insertIdempotencyRecord: async ({ requester, keyHash, requestHash, clientKeyId, tokenDigest, at }) => {
    const record = { requester, keyHash, requestHash, tokenDigest, at: toText(at) }
    awaitTable(outbox, 'client_key_attempts')
    outbox.defer(
      'write',
      async db => await send(db, db.insert(clientKeyAttempts).values({ clientKey: rowOf(db, clientKeyId), ...record }))
    )
  },

  updateIdempotencyRecord: async ({ requester, keyHash, tokenDigest }) => {
    awaitTable(outbox, 'client_key_attempts')
    outbox.defer(
      'write',
      async db => await send(db, db.update(clientKeyAttempts).set({ tokenDigest }).where(isRequest(requester, keyHash)))
    )
  },

  removeIdempotencyRecords: async until => {
    awaitTable(outbox, 'client_key_attempts')
    outbox.defer('write', async db => await query(db, REMOVE_RECORDS, [toText(until)]))
  }
})

const isRequest = (requester: string, keyHash: string): SQL | undefined =>
  and(eq(clientKeyAttempts.requester, requester), eq(clientKeyAttempts.keyHash, keyHash))
