import { setImmediate } from 'node:timers/promises'
import { and, asc, desc, eq, gt, gte, isNotNull, isNull, lt, lte, ne, or, sql } from 'drizzle-orm'
import type { SQL } from 'drizzle-orm'
import type { Actor } from '../../domain/audits/audit.ts'
import { creation, differences } from '../../domain/audits/audit.ts'
import { createBarrier } from '../../domain/keys/barrier.ts'
import { ceilingOf, refuseBeyond } from '../../domain/keys/ceiling.ts'
import { whyDead } from '../../domain/keys/client-key.ts'
import type { ClientKeyRecord, KeyChange, KnownToken, Policy, TokenRecord } from '../../domain/keys/client-key.ts'
import { DAYS_KEPT, MOST_ADDRESSES, OTHER_ADDRESSES } from '../../domain/keys/evidence.ts'
import { redact } from '../../net/redaction.ts'
import { toPolicyJson } from '../../domain/keys/representation.ts'
import type {
  Attempt,
  Author,
  ClientKeyFilter,
  ClientKeyStore,
  GenerationUse,
  NewToken
} from '../../domain/keys/store.ts'
import { covers, UNSCOPED } from '../../domain/keys/scopes.ts'
import type { Grant } from '../../domain/keys/scopes.ts'
import {
  ClientKeyNameTaken,
  ClientKeyRevoked,
  IdempotencyKeyReused,
  InsufficientScope,
  InvalidToken,
  TooManyTokens
} from '../../domain/errors.ts'
import type { AppendAudit } from './audit-store.ts'
import type { SqliteDatabase } from './database.ts'
import { asFailure, attempt } from './failures.ts'
import {
  clientKeyAttempts,
  clientKeyEpoch,
  clientKeys,
  clientKeyTokens,
  clientKeyUsage,
  environmentKeyRevocations,
  environmentKeyUses
} from './schema.ts'

const WINDOW = 1000
const MOST_TOKENS = 100
const EVERY_TOKEN = Number.MAX_SAFE_INTEGER
const LONGEST_AGENT = 200
const DAY_MS = 86_400_000

/**
 * A digest is looked up for every token that the cache does not know, so this is read without Drizzle and by position.
 */
const FIND_BY_DIGEST = `
  select key.id, key.name, key.scopes, key.expires_at, key.enabled, key.allowed_ips, key.rate_limit_max, key.rate_limit_window_seconds,
    key.revoked_at, token.generation, token.expires_at, token.revoked_at
  from client_key_tokens as token join client_keys as key on key.row = token.client_key where token.digest = ?
`

type FoundRow = [
  id: string,
  name: string,
  scopes: string,
  expiresAt: string | null,
  enabled: number,
  allowedIps: string,
  rateLimitMax: number | null,
  rateLimitWindowSeconds: number | null,
  revokedAt: string | null,
  generation: string,
  tokenExpiresAt: string | null,
  tokenRevokedAt: string | null
]

type KeyRow = typeof clientKeys.$inferSelect

const toDate = (text: string | null): Date | null => (text === null ? null : new Date(text))
const toText = (date: Date | null): string | null => (date === null ? null : date.toISOString())

const toRateLimit = (max: number | null, windowSeconds: number | null): Policy['rateLimit'] =>
  max === null || windowSeconds === null ? null : { max, windowSeconds }

const toKnownToken = (
  digest: string,
  [
    id,
    name,
    scopes,
    expiresAt,
    enabled,
    allowedIps,
    rateLimitMax,
    rateLimitWindowSeconds,
    revokedAt,
    generation,
    tokenExpiresAt,
    tokenRevokedAt
  ]: FoundRow
): KnownToken => ({
  key: {
    id,
    name,
    source: 'managed',
    scopes: JSON.parse(scopes) as Grant[],
    expiresAt: toDate(expiresAt),
    enabled: enabled === 1,
    allowedIps: JSON.parse(allowedIps) as string[],
    rateLimit: toRateLimit(rateLimitMax, rateLimitWindowSeconds),
    revokedAt: toDate(revokedAt)
  },
  digest,
  generation,
  ref: digest,
  expiresAt: toDate(tokenExpiresAt),
  revokedAt: toDate(tokenRevokedAt)
})

const toRecord = (row: KeyRow): ClientKeyRecord => ({
  id: row.id,
  name: row.name,
  source: 'managed',
  description: row.description,
  scopes: JSON.parse(row.scopes) as Grant[],
  expiresAt: toDate(row.expiresAt),
  enabled: row.enabled,
  allowedIps: JSON.parse(row.allowedIps) as string[],
  rateLimit: toRateLimit(row.rateLimitMax, row.rateLimitWindowSeconds),
  metadata: row.metadata,
  createdAt: toDate(row.createdAt),
  createdBy: JSON.parse(row.createdBy) as Actor,
  revokedAt: toDate(row.revokedAt),
  revokedReason: row.revokedReason,
  lastUsedAt: toDate(row.lastUsedAt)
})

const toColumns = (change: KeyChange) => ({
  ...(change.name === undefined ? {} : { name: change.name }),
  ...(change.description === undefined ? {} : { description: change.description }),
  ...(change.enabled === undefined ? {} : { enabled: change.enabled }),
  ...(change.scopes === undefined ? {} : { scopes: JSON.stringify(change.scopes) }),
  ...(change.expiresAt === undefined ? {} : { expiresAt: toText(change.expiresAt) }),
  ...(change.allowedIps === undefined ? {} : { allowedIps: JSON.stringify(change.allowedIps) }),
  ...(change.rateLimit === undefined
    ? {}
    : { rateLimitMax: change.rateLimit?.max ?? null, rateLimitWindowSeconds: change.rateLimit?.windowSeconds ?? null }),
  ...(change.metadata === undefined ? {} : { metadata: change.metadata })
})

/** What an audit entry tells of a key. */
const audited = (key: ClientKeyRecord): Record<string, unknown> => {
  const { id, source, ...policy } = toPolicyJson(key)
  return { ...policy, description: key.description, metadata: JSON.parse(key.metadata) }
}

/** Whether a token is neither revoked nor expired, whatever its key is. */
const isLiveByItself = (at: string): SQL | undefined =>
  and(isNull(clientKeyTokens.revokedAt), or(isNull(clientKeyTokens.expiresAt), gt(clientKeyTokens.expiresAt, at)))

const isLiveToken = (at: string): SQL | undefined =>
  and(isLiveByItself(at), isNull(clientKeys.revokedAt), or(isNull(clientKeys.expiresAt), gt(clientKeys.expiresAt, at)))

const matches = ({
  enabled,
  revoked,
  expiresBefore,
  unusedSince,
  namePrefix,
  scope,
  generation
}: ClientKeyFilter): SQL | undefined =>
  and(
    enabled === undefined ? undefined : eq(clientKeys.enabled, enabled),
    revoked === undefined ? undefined : revoked ? isNotNull(clientKeys.revokedAt) : isNull(clientKeys.revokedAt),
    expiresBefore === undefined ? undefined : lt(clientKeys.expiresAt, expiresBefore.toISOString()),
    unusedSince === undefined
      ? undefined
      : and(
          lt(clientKeys.createdAt, unusedSince.toISOString()),
          or(isNull(clientKeys.lastUsedAt), lt(clientKeys.lastUsedAt, unusedSince.toISOString()))
        ),
    namePrefix === undefined ? undefined : sql`substr(${clientKeys.name}, 1, length(${namePrefix})) = ${namePrefix}`,
    scope === undefined
      ? undefined
      : sql`exists (select 1 from json_each(${clientKeys.scopes}) where value in (${UNSCOPED}, ${scope}))`,
    generation === undefined
      ? undefined
      : sql`exists (select 1 from ${clientKeyTokens} where ${and(
          eq(clientKeyTokens.clientKey, clientKeys.row),
          eq(clientKeyTokens.generation, generation),
          isLiveToken(new Date().toISOString())
        )})`
  )

const tokenColumns = {
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

type TokenRow = {
  [Column in keyof TokenRecord]: TokenRecord[Column] extends Date | null ? string | null : TokenRecord[Column]
}

const toTokenRecord = (row: TokenRow): TokenRecord => ({
  ...row,
  createdAt: toDate(row.createdAt),
  expiresAt: toDate(row.expiresAt),
  revokedAt: toDate(row.revokedAt),
  lastUsedAt: toDate(row.lastUsedAt)
})

export const createClientKeyStore = (db: SqliteDatabase, appendAudit: AppendAudit): ClientKeyStore => {
  const { $client } = db
  const readDataVersion = $client.prepare<[], number>('pragma data_version').pluck()
  const readEpoch = $client.prepare<[], number>('select epoch from client_key_epoch').pluck()
  const findByDigest = $client.prepare<[string], FoundRow>(FIND_BY_DIGEST).raw()
  const findRevocation = $client
    .prepare<[string], string>('select revoked_at from environment_key_revocations where digest = ?')
    .pluck()

  let epoch = 0
  // The version in which the epoch was read; null: it must be read again.
  let dataVersion: number | undefined | null = null

  /** A read that answers at once: where the database can't be used, it says so rather than wait. */
  const read = <T>(query: () => T): T => {
    try {
      return query()
    } catch (error) {
      throw asFailure(error)
    }
  }

  // The pragma tells whether another connection has committed anything (https://sqlite.org/pragma.html#pragma_data_version);
  // it stands still for what this connection commits, which `change` tells.
  const refreshEpoch = (): void => {
    const version = readDataVersion.get()
    if (version === dataVersion) return
    epoch = Number(readEpoch.get())
    dataVersion = version
  }

  const barrier = createBarrier(() => {
    read(refreshEpoch)
  })

  const findKnown = (digest: string): KnownToken | null => {
    const row = findByDigest.get(digest)
    return row === undefined ? null : toKnownToken(digest, row)
  }

  /** A change of keys: one transaction, which moves the epoch. */
  const change = async <T>(work: () => T): Promise<T> =>
    await attempt(() =>
      db.transaction(
        () => {
          // Before the commit, so that no failure of it can leave an epoch that is taken for the current one.
          dataVersion = null
          const result = work()
          db.update(clientKeyEpoch)
            .set({ epoch: sql`epoch + 1` })
            .run()
          return result
        },
        { behavior: 'immediate' }
      )
    )

  const rowOf = (condition: SQL | undefined): KeyRow | undefined => db.select().from(clientKeys).where(condition).get()

  const find = (condition: SQL | undefined): ClientKeyRecord | null => {
    const row = rowOf(condition)
    return row === undefined ? null : toRecord(row)
  }

  /** What bounds an author now; null: nothing does. Throws InvalidToken where the author's token is good no more. */
  const ceilingOfAuthor = ({ token, bounds }: Author): Policy | null => {
    if (token === null) return bounds ?? null
    const now =
      token.key.source === 'managed'
        ? findKnown(token.digest)
        : { ...token, key: { ...token.key, revokedAt: toDate(findRevocation.get(token.digest) ?? null) } }
    if (now === null || whyDead(now, Date.now()) !== null) throw new InvalidToken()
    if (!covers(now.key.scopes, 'client_keys:write')) throw new InsufficientScope('client_keys:write')
    return ceilingOf(now)
  }

  /** The key that a change is about, which must be there to be changed, and within the author's ceiling. */
  const rowToChange = (
    condition: SQL,
    author: Author
  ): { row: KeyRow; key: ClientKeyRecord; ceiling: Policy | null } | null => {
    const ceiling = ceilingOfAuthor(author)
    const row = rowOf(condition)
    if (row === undefined) return null
    const key = toRecord(row)
    refuseBeyond(ceiling, key)
    if (row.revokedAt !== null) throw new ClientKeyRevoked()
    return { row, key, ceiling }
  }

  const refuseTakenName = (name: string): void => {
    if (rowOf(and(eq(clientKeys.name, name), isNull(clientKeys.revokedAt))) !== undefined) {
      throw new ClientKeyNameTaken()
    }
  }

  const insertToken = (clientKey: number, { digest, generation, hint }: NewToken, at: Date): void => {
    db.insert(clientKeyTokens).values({ clientKey, digest, generation, hint, createdAt: at.toISOString() }).run()
  }

  const tokensOf = (id: string, except?: NewToken): TokenRecord[] =>
    db
      .select(tokenColumns)
      .from(clientKeyTokens)
      .innerJoin(clientKeys, eq(clientKeys.row, clientKeyTokens.clientKey))
      .where(and(eq(clientKeys.id, id), except === undefined ? undefined : ne(clientKeyTokens.digest, except.digest)))
      .orderBy(desc(clientKeyTokens.createdAt))
      .limit(MOST_TOKENS)
      .all()
      .map(toTokenRecord)

  /** Makes room for one more token of a key: the oldest that have expired or are revoked go. Throws TooManyTokens. */
  const forgetTokens = (clientKey: number, at: Date): void => {
    const isLive = sql<number>`${isLiveByItself(at.toISOString())}`
    const older = db
      .select({ digest: clientKeyTokens.digest, isLive })
      .from(clientKeyTokens)
      .where(eq(clientKeyTokens.clientKey, clientKey))
      .orderBy(desc(isLive), desc(clientKeyTokens.createdAt))
      .limit(EVERY_TOKEN)
      .offset(MOST_TOKENS - 1)
      .all()
    if (older.some(token => token.isLive === 1)) throw new TooManyTokens()
    for (const { digest } of older) db.delete(clientKeyTokens).where(eq(clientKeyTokens.digest, digest)).run()
  }

  const earlierAttempt = ({ caller, keyHash, requestHash, since }: Attempt) => {
    db.delete(clientKeyAttempts).where(lte(clientKeyAttempts.at, since.toISOString())).run()
    const earlier = db
      .select()
      .from(clientKeyAttempts)
      .where(and(eq(clientKeyAttempts.caller, caller), eq(clientKeyAttempts.keyHash, keyHash)))
      .get()
    if (earlier !== undefined && earlier.requestHash !== requestHash) throw new IdempotencyKeyReused()
    return earlier
  }

  const remember = (attempted: Attempt | null, clientKey: number, { digest }: NewToken, at: Date): void => {
    if (attempted === null) return
    const { caller, keyHash, requestHash } = attempted
    db.insert(clientKeyAttempts)
      .values({ caller, keyHash, requestHash, clientKey, tokenDigest: digest, at: at.toISOString() })
      .run()
  }

  /**
   * The same once more: the token that nobody got dies, and the new one takes its place. Null where it is the first
   * time.
   */
  const again = (attempted: Attempt | null, token: NewToken, at: Date, author: Author): ClientKeyRecord | null => {
    const earlier = attempted === null ? undefined : earlierAttempt(attempted)
    const found = earlier === undefined ? null : rowToChange(eq(clientKeys.row, earlier.clientKey), author)
    if (earlier === undefined || found === null) return null
    db.update(clientKeyTokens)
      .set({ revokedAt: at.toISOString() })
      .where(and(eq(clientKeyTokens.digest, earlier.tokenDigest), isNull(clientKeyTokens.revokedAt)))
      .run()
    forgetTokens(earlier.clientKey, at)
    insertToken(earlier.clientKey, token, at)
    db.update(clientKeyAttempts)
      .set({ tokenDigest: token.digest })
      .where(and(eq(clientKeyAttempts.caller, earlier.caller), eq(clientKeyAttempts.keyHash, earlier.keyHash)))
      .run()
    const subject = { type: 'client_key', id: found.row.id } as const
    appendAudit({
      at,
      origin: author.origin,
      action: 'client_key.replace_token',
      subject,
      changes: creation({ hint: token.hint, generation: token.generation })
    })
    return found.key
  }

  return {
    barrier,

    epoch: () => epoch,

    findByDigest: digest => read(() => findKnown(digest)),

    findRevocation: digest => read(() => toDate(findRevocation.get(digest) ?? null)),

    insert: async (key, token, at, author, attempted) =>
      await change(() => {
        refuseBeyond(ceilingOfAuthor(author), key)
        const made = again(attempted, token, at, author)
        if (made !== null) return made
        refuseTakenName(key.name)
        const row = db
          .insert(clientKeys)
          .values({
            id: key.id,
            name: key.name,
            description: key.description,
            scopes: JSON.stringify(key.scopes),
            expiresAt: toText(key.expiresAt),
            enabled: key.enabled,
            allowedIps: JSON.stringify(key.allowedIps),
            rateLimitMax: key.rateLimit?.max ?? null,
            rateLimitWindowSeconds: key.rateLimit?.windowSeconds ?? null,
            metadata: key.metadata,
            createdAt: at.toISOString(),
            createdBy: JSON.stringify(author.origin.actor)
          })
          .returning()
          .get()
        insertToken(row.row, token, at)
        remember(attempted, row.row, token, at)
        const record = toRecord(row)
        appendAudit({
          at,
          origin: author.origin,
          action: 'client_key.issue',
          subject: { type: 'client_key', id: key.id },
          changes: creation({ ...audited(record), hint: token.hint, generation: token.generation })
        })
        return record
      }),

    rotate: async (id, token, at, deadline, author, attempted) =>
      await change(() => {
        const made = again(attempted, token, at, author)
        if (made !== null) return { key: made, older: tokensOf(id, token) }
        const found = rowToChange(eq(clientKeys.id, id), author)
        if (found === null) return null
        const until = deadline.toISOString()
        db.update(clientKeyTokens)
          .set({ expiresAt: until })
          .where(
            and(
              eq(clientKeyTokens.clientKey, found.row.row),
              or(isNull(clientKeyTokens.expiresAt), gt(clientKeyTokens.expiresAt, until))
            )
          )
          .run()
        forgetTokens(found.row.row, at)
        insertToken(found.row.row, token, at)
        remember(attempted, found.row.row, token, at)
        appendAudit({
          at,
          origin: author.origin,
          action: 'client_key.rotate',
          subject: { type: 'client_key', id },
          changes: creation({ hint: token.hint, generation: token.generation, older_tokens_expire_at: until })
        })
        return { key: found.key, older: tokensOf(id, token) }
      }),

    change: async (id, wanted, at, author) =>
      await change(() => {
        const found = rowToChange(eq(clientKeys.id, id), author)
        if (found === null) return null
        const columns = toColumns(wanted)
        const after = toRecord({ ...found.row, ...columns })
        refuseBeyond(found.ceiling, after)
        if (after.name !== found.key.name) refuseTakenName(after.name)
        const changes = differences(audited(found.key), audited(after))
        if (Object.keys(changes).length === 0) return found.key
        db.update(clientKeys).set(columns).where(eq(clientKeys.id, id)).run()
        appendAudit({
          at,
          origin: author.origin,
          action: 'client_key.change',
          subject: { type: 'client_key', id },
          changes
        })
        return after
      }),

    revoke: async (id, reason, at, author) =>
      await change(() => {
        const row = rowOf(eq(clientKeys.id, id))
        if (row === undefined) return null
        refuseBeyond(ceilingOfAuthor(author), toRecord(row))
        if (row.revokedAt !== null) return toRecord(row)
        const revocation = { revokedAt: at.toISOString(), revokedReason: reason }
        db.update(clientKeys).set(revocation).where(eq(clientKeys.id, id)).run()
        appendAudit({
          at,
          origin: author.origin,
          action: 'client_key.revoke',
          subject: { type: 'client_key', id },
          changes: creation({ revoked_reason: reason })
        })
        return toRecord({ ...row, ...revocation })
      }),

    revokeEnvironmentKey: async (key, digest, reason, at, author) => {
      await change(() => {
        refuseBeyond(ceilingOfAuthor(author), key)
        const { changes } = db
          .insert(environmentKeyRevocations)
          .values({ digest, revokedAt: at.toISOString(), revokedReason: reason })
          .onConflictDoNothing()
          .run()
        if (changes === 0) return
        appendAudit({
          at,
          origin: author.origin,
          action: 'client_key.revoke',
          subject: { type: 'client_key', id: key.id },
          changes: creation({ revoked_reason: reason })
        })
      })
    },

    find: async id => await attempt(() => find(eq(clientKeys.id, id))),

    findByName: async name => await attempt(() => find(and(eq(clientKeys.name, name), isNull(clientKeys.revokedAt)))),

    // In windows, so that a filter that few of a million keys pass does not stop everybody else.
    page: async (filter, limit, after = '') => {
      const keys: ClientKeyRecord[] = []
      for (let position = after; ;) {
        const begin = position
        const end = await attempt(
          () =>
            db
              .select({ id: clientKeys.id })
              .from(clientKeys)
              .where(gt(clientKeys.id, begin))
              .orderBy(asc(clientKeys.id))
              .limit(1)
              .offset(WINDOW - 1)
              .get()?.id
        )
        const rows = await attempt(() =>
          db
            .select()
            .from(clientKeys)
            .where(
              and(gt(clientKeys.id, begin), end === undefined ? undefined : lte(clientKeys.id, end), matches(filter))
            )
            .orderBy(asc(clientKeys.id))
            .limit(limit + 1 - keys.length)
            .all()
        )
        keys.push(...rows.map(toRecord))
        if (keys.length > limit || end === undefined) return { keys: keys.slice(0, limit), more: keys.length > limit }
        position = end
        await setImmediate()
      }
    },

    tokens: async id => await attempt(() => tokensOf(id)),

    environmentRecord: async (key, digest) =>
      await attempt(() => {
        const revocation = db
          .select()
          .from(environmentKeyRevocations)
          .where(eq(environmentKeyRevocations.digest, digest))
          .get()
        const uses = db
          .select()
          .from(environmentKeyUses)
          .where(eq(environmentKeyUses.clientKeyId, key.id))
          .orderBy(desc(environmentKeyUses.lastUsedAt))
          .all()
        return {
          revokedAt: toDate(revocation?.revokedAt ?? null),
          revokedReason: revocation?.revokedReason ?? null,
          tokens: uses.map(({ clientKeyId, ...use }) =>
            toTokenRecord({ ...use, hint: null, createdAt: null, expiresAt: null, revokedAt: null })
          )
        }
      }),

    recordUses: createUseWriter(db),

    usage: async (id, from) =>
      await attempt(() =>
        db
          .select({
            day: clientKeyUsage.day,
            kind: clientKeyUsage.kind,
            label: clientKeyUsage.label,
            count: clientKeyUsage.count
          })
          .from(clientKeyUsage)
          .where(and(eq(clientKeyUsage.clientKeyId, id), gte(clientKeyUsage.day, from)))
          .orderBy(
            asc(clientKeyUsage.day),
            asc(clientKeyUsage.kind),
            desc(clientKeyUsage.count),
            asc(clientKeyUsage.label)
          )
          .all()
      ),

    generations: async at =>
      await attempt(() => {
        const now = at.toISOString()
        const managed = db
          .select({
            generation: clientKeyTokens.generation,
            liveTokens: sql<number>`sum(${isLiveToken(now)})`,
            lastUsedAt: sql<string | null>`max(${clientKeyTokens.lastUsedAt})`
          })
          .from(clientKeyTokens)
          .innerJoin(clientKeys, eq(clientKeys.row, clientKeyTokens.clientKey))
          .groupBy(clientKeyTokens.generation)
          .all()
        const environment = db
          .select({
            generation: environmentKeyUses.generation,
            lastUsedAt: sql<string>`max(${environmentKeyUses.lastUsedAt})`
          })
          .from(environmentKeyUses)
          .groupBy(environmentKeyUses.generation)
          .all()
        return [
          ...managed.map((use): GenerationUse => ({ ...use, source: 'managed', lastUsedAt: toDate(use.lastUsedAt) })),
          ...environment.map((use): GenerationUse => ({
            ...use,
            source: 'environment',
            liveTokens: null,
            lastUsedAt: toDate(use.lastUsedAt)
          }))
        ]
      }),

    // From one generation to the next by the index: to list them by `distinct` would read every token.
    orphans: async (known, at) =>
      await attempt(() => {
        const orphans: string[] = []
        for (let last = ''; ;) {
          const [next] = db
            .select({ generation: clientKeyTokens.generation })
            .from(clientKeyTokens)
            .where(gt(clientKeyTokens.generation, last))
            .orderBy(asc(clientKeyTokens.generation))
            .limit(1)
            .all()
            .map(({ generation }) => generation)
          if (next === undefined) return orphans
          const isOrphan =
            !known.includes(next) &&
            db
              .select({ one: sql`1` })
              .from(clientKeyTokens)
              .innerJoin(clientKeys, eq(clientKeys.row, clientKeyTokens.clientKey))
              .where(and(eq(clientKeyTokens.generation, next), isLiveToken(at.toISOString())))
              .limit(1)
              .all().length > 0
          if (isOrphan) orphans.push(next)
          last = next
        }
      })
  }
}

/**
 * Writes down what was seen of keys. It does not wait for the disk: a power cut may take the last of it, and is allowed
 * to; what was acknowledged before stays, since a log that is synced later holds it in order.
 */
const createUseWriter = (db: SqliteDatabase): ClientKeyStore['recordUses'] => {
  const { $client } = db
  const useManaged = $client.prepare(`
    update client_key_tokens set use_count = use_count + ?, last_used_ip = iif(coalesce(last_used_at, '') < ?, ?, last_used_ip),
      last_used_agent = iif(coalesce(last_used_at, '') < ?, ?, last_used_agent), last_used_at = max(coalesce(last_used_at, ''), ?)
    where digest = ?
  `)
  const useKey = $client.prepare(`
    update client_keys set last_used_at = max(coalesce(last_used_at, ''), ?) where row = (select client_key from client_key_tokens where digest = ?)
  `)
  const useEnvironment = $client.prepare(`
    insert into environment_key_uses (client_key_id, generation, last_used_at, last_used_ip, last_used_agent, use_count) values (?, ?, ?, ?, ?, ?)
    on conflict do update set last_used_at = excluded.last_used_at, last_used_ip = excluded.last_used_ip,
      last_used_agent = excluded.last_used_agent, use_count = use_count + excluded.use_count
  `)
  const addCount = $client.prepare(`
    insert into client_key_usage (client_key_id, day, kind, label, count) values (?, ?, ?, ?, ?)
    on conflict do update set count = count + excluded.count
  `)
  const addToCount = $client.prepare(
    "update client_key_usage set count = count + ? where client_key_id = ? and day = ? and kind = 'address' and label = ?"
  )
  const countAddresses = $client
    .prepare<[string, string], number>(
      "select count(*) from client_key_usage where client_key_id = ? and day = ? and kind = 'address'"
    )
    .pluck()
  let forgottenOn = ''

  // Counts older than is promised go once a day.
  const forget = (day: string): void => {
    if (day <= forgottenOn) return
    db.delete(clientKeyUsage)
      .where(lt(clientKeyUsage.day, new Date(Date.parse(day) - (DAYS_KEPT - 1) * DAY_MS).toISOString().slice(0, 10)))
      .run()
    forgottenOn = day
  }

  const addAddress = (id: string, day: string, address: string, count: number): void => {
    if (addToCount.run(count, id, day, address).changes > 0) return
    const label = Number(countAddresses.get(id, day)) < MOST_ADDRESSES ? address : OTHER_ADDRESSES
    addCount.run(id, day, 'address', label, count)
  }

  return async (day, uses) => {
    await attempt(() => {
      $client.pragma('synchronous = NORMAL')
      try {
        db.transaction(
          () => {
            for (const { token, count, lastAt, lastIp, lastAgent, scopes, addresses, refusals } of uses) {
              const { id, source } = token.key
              const at = new Date(lastAt).toISOString()
              const agent =
                lastAgent === undefined ? null : redact(lastAgent).replaceAll(/\p{C}/gu, '?').slice(0, LONGEST_AGENT)
              if (count > 0 && source === 'managed') {
                useManaged.run(count, at, lastIp, at, agent, at, token.digest)
                useKey.run(at, token.digest)
              }
              if (count > 0 && source === 'environment') {
                useEnvironment.run(id, token.generation, at, lastIp, agent, count)
              }
              for (const [scope, times] of scopes) addCount.run(id, day, 'scope', scope, times)
              for (const [reason, times] of refusals) addCount.run(id, day, 'refusal', reason, times)
              for (const [address, times] of addresses) addAddress(id, day, address, times)
            }
            forget(day)
          },
          { behavior: 'immediate' }
        )
      } finally {
        $client.pragma('synchronous = FULL')
      }
    })
  }
}
