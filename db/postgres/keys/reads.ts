import { and, asc, desc, eq, gt, gte, isNull, lte } from 'drizzle-orm'
import type { SQL } from 'drizzle-orm'
import type { ClientKeyRecord } from '../../../domain/keys/client-key.ts'
import type { KeyReads } from '../../../domain/keys/rows.ts'
import { toOptionalDate } from '../../timestamps.ts'
import { toKeyRecord, toStoredToken, toTokenRecord } from '../../key-records.ts'
import type { PostgresDatabase } from '../database.ts'
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

/** How many keys a statement searches, so that a filter that few of millions of keys pass doesn't take long. */
const WINDOW = 5000

/** PostgreSQL refuses this character, so no stored text contains it. */
const NUL = '\0'

export const createKeyReads = (db: PostgresDatabase): KeyReads => {
  const find = async (condition: SQL | undefined): Promise<ClientKeyRecord | null> => {
    const [row] = await db.select().from(clientKeys).where(condition)
    return row === undefined ? null : toKeyRecord(row)
  }

  return {
    find: async id => (id.includes(NUL) ? null : await find(eq(clientKeys.id, id))),
    findByName: async name => await find(and(eq(clientKeys.name, name), isNull(clientKeys.revokedAt))),
    ...createTokenReads(db),
    page: createKeyPage(db),
    tokens: async (id, { limit }) => await readTokens(db, id, limit),
    environmentRecord: async key => await readEnvironmentRecord(db, key),
    usage: async (id, { day }) => await readUsage(db, id, day),
    ...createOwnerReads(db),
    ...createGenerationReads(db)
  }
}

const createKeyPage = (db: PostgresDatabase): KeyReads['page'] => {
  const windowEnd = async (after: string, owner: SQL | undefined): Promise<string | undefined> => {
    const isAfter = and(gt(clientKeys.id, after), owner)
    const inOrder = db.select({ id: clientKeys.id }).from(clientKeys).where(isAfter)
    return (
      await inOrder
        .orderBy(clientKeys.id)
        .limit(1)
        .offset(WINDOW - 1)
    )[0]?.id
  }

  return async (filter, { limit, after, at }) => {
    const keys: ClientKeyRecord[] = []
    // The keys of an owner are found with an index, so only these are searched.
    const isOwned = filter.owner === undefined ? undefined : eq(clientKeys.owner, filter.owner)
    let end: string | undefined = after ?? ''
    while (end !== undefined && keys.length < limit) {
      const begin: string = end
      end = await windowEnd(begin, isOwned)
      const isInWindow = and(gt(clientKeys.id, begin), end === undefined ? undefined : lte(clientKeys.id, end))
      const rows = await db
        .select()
        .from(clientKeys)
        .where(and(isInWindow, matchesFilter(filter, at)))
        .orderBy(clientKeys.id)
        .limit(limit - keys.length)
      keys.push(...rows.map(toKeyRecord))
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

const readTokens = async (db: PostgresDatabase, id: string, limit: number) => {
  const rows = await db
    .select(tokenColumns)
    .from(clientKeyTokens)
    .innerJoin(clientKeys, eq(clientKeys.row, clientKeyTokens.clientKey))
    .where(eq(clientKeys.id, id))
    .orderBy(desc(clientKeyTokens.createdAt))
    .limit(limit)
  return rows.map(toStoredToken)
}

const readEnvironmentRecord = async (db: PostgresDatabase, { id, digest }: { id: string; digest: string }) => {
  const [revocation] = await db
    .select()
    .from(environmentKeyRevocations)
    .where(eq(environmentKeyRevocations.digest, digest))
  const uses = await db
    .select()
    .from(environmentKeyUses)
    .where(eq(environmentKeyUses.clientKeyId, id))
    .orderBy(desc(environmentKeyUses.lastUsedAt))
  return {
    revokedAt: toOptionalDate(revocation?.revokedAt ?? null),
    revokedReason: revocation?.revokedReason ?? null,
    tokens: uses.map(({ clientKeyId, ...use }) =>
      toTokenRecord({ ...use, hint: null, createdAt: null, expiresAt: null, revokedAt: null })
    )
  }
}

const readUsage = async (db: PostgresDatabase, id: string, day: string) =>
  await db
    .select({
      day: clientKeyUsage.day,
      kind: clientKeyUsage.kind,
      label: clientKeyUsage.label,
      count: clientKeyUsage.count
    })
    .from(clientKeyUsage)
    .where(and(eq(clientKeyUsage.clientKeyId, id), gte(clientKeyUsage.day, day)))
    .orderBy(asc(clientKeyUsage.day), asc(clientKeyUsage.kind), desc(clientKeyUsage.count), asc(clientKeyUsage.label))
