import { setImmediate } from 'node:timers/promises'
import { and, asc, desc, eq, gt, gte, isNull, lte, sql } from 'drizzle-orm'
import type { SQL } from 'drizzle-orm'
import type { ClientKeyRecord } from '../../../domain/keys/client-key.ts'
import type { KeyReads } from '../../../domain/keys/rows.ts'
import { toOptionalDate } from '../../timestamps.ts'
import { toKeyRecord, toStoredToken, toTokenRecord } from '../../key-records.ts'
import type { SqliteDatabase } from '../database.ts'
import { createGenerationReads } from './generations.ts'
import { matchesFilter } from './conditions.ts'
import {
  clientKeys,
  clientKeyTokens,
  clientKeyUsage,
  environmentKeyRevocations,
  environmentKeyUses
} from '../schema.ts'
import { createOwnerReads } from './owners.ts'
import { createTokenReads } from './tokens.ts'

// SQLite orders by code point by default, but not every engine does.
const idOrder = sql`${clientKeys.id} collate binary`

/** The number of keys that are read before other work gets its turn. */
const WINDOW = 1000

export const createKeyReads = (db: SqliteDatabase): KeyReads => {
  const tokenReads = createTokenReads(db.$client)

  const find = (condition: SQL | undefined): ClientKeyRecord | null => {
    const row = db.select().from(clientKeys).where(condition).get()
    return row === undefined ? null : toKeyRecord(row)
  }

  return {
    find: async id => find(eq(clientKeys.id, id)),
    findByName: async name => find(and(eq(clientKeys.name, name), isNull(clientKeys.revokedAt))),
    findToken: async digest => tokenReads.findToken(digest),
    findRevocation: async digest => tokenReads.findRevocation(digest),
    page: createKeyPage(db),
    tokens: async (id, { limit }) => readTokens(db, id, limit),
    environmentRecord: async key => readEnvironmentRecord(db, key),
    usage: async (id, { day }) => readUsage(db, id, day),
    ...createOwnerReads(db),
    ...createGenerationReads(db)
  }
}

// Searches in windows, so that a filter that few of a million keys pass doesn't block the event loop. The keys of an
// owner are found with an index, so only these are searched.
const createKeyPage = (db: SqliteDatabase): KeyReads['page'] => {
  const windowEnd = (after: string, owner: SQL | undefined): string | undefined =>
    db
      .select({ id: clientKeys.id })
      .from(clientKeys)
      .where(and(gt(clientKeys.id, after), owner))
      .orderBy(idOrder)
      .limit(1)
      .offset(WINDOW - 1)
      .get()?.id

  return async (filter, { limit, after, at }) => {
    const keys: ClientKeyRecord[] = []
    const isOwned = filter.owner === undefined ? undefined : eq(clientKeys.owner, filter.owner)
    let end: string | undefined = after ?? ''
    while (end !== undefined && keys.length < limit) {
      const begin: string = end
      end = windowEnd(begin, isOwned)
      const isInWindow = and(gt(clientKeys.id, begin), end === undefined ? undefined : lte(clientKeys.id, end))
      const rows = db
        .select()
        .from(clientKeys)
        .where(and(isInWindow, matchesFilter(filter, at)))
        .orderBy(idOrder)
        .limit(limit - keys.length)
        .all()
      keys.push(...rows.map(toKeyRecord))
      await setImmediate()
    }
    return keys
  }
}

const tokenColumns = {
  digest: clientKeyTokens.digest,
  generation: clientKeyTokens.generation,
  hint: clientKeyTokens.hint,
  createdAt: clientKeyTokens.createdAt,
  expiresAt: clientKeyTokens.expiresAt,
  revokedAt: clientKeyTokens.revokedAt,
  lastUsedAt: clientKeyTokens.lastUsedAt,
  lastUsedIp: clientKeyTokens.lastUsedIp,
  lastUsedAgent: clientKeyTokens.lastUsedAgent,
  useCount: clientKeyTokens.useCount
}

const readTokens = (db: SqliteDatabase, id: string, limit: number) =>
  db
    .select(tokenColumns)
    .from(clientKeyTokens)
    .innerJoin(clientKeys, eq(clientKeys.row, clientKeyTokens.clientKey))
    .where(eq(clientKeys.id, id))
    .orderBy(desc(clientKeyTokens.createdAt))
    .limit(limit)
    .all()
    .map(toStoredToken)

const readEnvironmentRecord = (db: SqliteDatabase, { id, digest }: { id: string; digest: string }) => {
  const revocation = db
    .select()
    .from(environmentKeyRevocations)
    .where(eq(environmentKeyRevocations.digest, digest))
    .get()
  const uses = db
    .select()
    .from(environmentKeyUses)
    .where(eq(environmentKeyUses.clientKeyId, id))
    .orderBy(desc(environmentKeyUses.lastUsedAt))
    .all()
  return {
    revokedAt: toOptionalDate(revocation?.revokedAt ?? null),
    revokedReason: revocation?.revokedReason ?? null,
    tokens: uses.map(({ clientKeyId, ...use }) =>
      toTokenRecord({ ...use, hint: null, createdAt: null, expiresAt: null, revokedAt: null })
    )
  }
}

const readUsage = (db: SqliteDatabase, id: string, day: string) =>
  db
    .select({
      day: clientKeyUsage.day,
      kind: clientKeyUsage.kind,
      label: clientKeyUsage.label,
      count: clientKeyUsage.count
    })
    .from(clientKeyUsage)
    .where(and(eq(clientKeyUsage.clientKeyId, id), gte(clientKeyUsage.day, day)))
    .orderBy(asc(clientKeyUsage.day), asc(clientKeyUsage.kind), desc(clientKeyUsage.count), asc(clientKeyUsage.label))
    .all()
