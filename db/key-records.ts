import type { Actor } from '../domain/audits/audit.ts'
import type {
  ClientKeyRecord,
  KeyChange,
  KnownToken,
  Metadata,
  Policy,
  TokenRecord
} from '../domain/keys/client-key.ts'
import type { NewClientKey, StoredToken } from '../domain/keys/rows.ts'
import { toDate, toOptionalDate, toOptionalText, toText } from './timestamps.ts'

/** The columns of a key. Every engine returns them in this format. */
export interface KeyRow {
  readonly id: string
  readonly name: string
  readonly description: string | null
  readonly owner: string | null
  readonly scopes: string
  readonly expiresAt: string | null
  readonly enabled: boolean
  readonly allowedIps: string
  readonly rateLimitMax: number | null
  readonly rateLimitWindowSeconds: number | null
  readonly metadata: string
  readonly createdAt: string
  readonly createdBy: string
  readonly revokedAt: string | null
  readonly revokedReason: string | null
  readonly lastUsedAt: string | null
}

export const toRateLimit = (max: number | null, windowSeconds: number | null): Policy['rateLimit'] =>
  max === null || windowSeconds === null ? null : { max, windowSeconds }

/** The columns of the row that a lookup by digest returns, in order. Engines differ in how they return booleans. */
export type KnownTokenRow = [
  id: string,
  name: string,
  owner: string | null,
  scopes: string,
  expiresAt: string | null,
  enabled: boolean | number,
  allowedIps: string,
  rateLimitMax: number | null,
  rateLimitWindowSeconds: number | null,
  revokedAt: string | null,
  generation: string,
  tokenExpiresAt: string | null,
  tokenRevokedAt: string | null,
  tokenCreatedAt: string,
  metadata: string
]

export const toKnownToken = (
  digest: string,
  [
    id,
    name,
    owner,
    scopes,
    expiresAt,
    enabled,
    ips,
    max,
    windowSeconds,
    revokedAt,
    generation,
    expires,
    revoked,
    created,
    metadata
  ]: KnownTokenRow
): KnownToken => ({
  key: {
    id,
    name,
    source: 'managed',
    owner,
    scopes: JSON.parse(scopes) as string[],
    expiresAt: toOptionalDate(expiresAt),
    enabled: Boolean(enabled),
    allowedIps: JSON.parse(ips) as string[],
    rateLimit: toRateLimit(max, windowSeconds),
    revokedAt: toOptionalDate(revokedAt)
  },
  digest,
  generation,
  ref: digest,
  expiresAt: toOptionalDate(expires),
  revokedAt: toOptionalDate(revoked),
  createdAt: toDate(created),
  metadata
})

/** Returns the tokens that exist of those with the given digests, by digest. */
export const tokensByDigest = (
  digests: readonly string[],
  find: (digest: string) => KnownToken | null
): ReadonlyMap<string, KnownToken> =>
  new Map(
    digests.flatMap(digest => {
      const token = find(digest)
      return token === null ? [] : [[digest, token]]
    })
  )

export const toKeyRecord = (row: KeyRow): ClientKeyRecord => ({
  id: row.id,
  name: row.name,
  source: 'managed',
  description: row.description,
  owner: row.owner,
  scopes: JSON.parse(row.scopes) as string[],
  expiresAt: toOptionalDate(row.expiresAt),
  enabled: row.enabled,
  allowedIps: JSON.parse(row.allowedIps) as string[],
  rateLimit: toRateLimit(row.rateLimitMax, row.rateLimitWindowSeconds),
  metadata: JSON.parse(row.metadata) as Metadata,
  createdAt: toOptionalDate(row.createdAt),
  createdBy: JSON.parse(row.createdBy) as Actor,
  revokedAt: toOptionalDate(row.revokedAt),
  revokedReason: row.revokedReason,
  lastUsedAt: toOptionalDate(row.lastUsedAt)
})

/** Returns the columns of a new key. */
export const toNewColumns = (key: NewClientKey) => ({
  id: key.id,
  name: key.name,
  description: key.description,
  owner: key.owner,
  scopes: JSON.stringify(key.scopes),
  expiresAt: toOptionalText(key.expiresAt),
  enabled: key.enabled,
  allowedIps: JSON.stringify(key.allowedIps),
  rateLimitMax: key.rateLimit?.max ?? null,
  rateLimitWindowSeconds: key.rateLimit?.windowSeconds ?? null,
  metadata: JSON.stringify(key.metadata),
  createdAt: toText(key.createdAt),
  createdBy: JSON.stringify(key.createdBy)
})

/** Returns the columns that a change to a key sets. Undefined properties are omitted. */
export const toChangedColumns = (change: KeyChange) => ({
  ...(change.name === undefined ? {} : { name: change.name }),
  ...(change.description === undefined ? {} : { description: change.description }),
  ...(change.owner === undefined ? {} : { owner: change.owner }),
  ...(change.enabled === undefined ? {} : { enabled: change.enabled }),
  ...(change.scopes === undefined ? {} : { scopes: JSON.stringify(change.scopes) }),
  ...(change.expiresAt === undefined ? {} : { expiresAt: toOptionalText(change.expiresAt) }),
  ...(change.allowedIps === undefined ? {} : { allowedIps: JSON.stringify(change.allowedIps) }),
  ...(change.rateLimit === undefined
    ? {}
    : { rateLimitMax: change.rateLimit?.max ?? null, rateLimitWindowSeconds: change.rateLimit?.windowSeconds ?? null }),
  ...(change.metadata === undefined ? {} : { metadata: JSON.stringify(change.metadata) })
})

type TokenRow = {
  [Column in keyof TokenRecord]: TokenRecord[Column] extends Date | null ? string | null : TokenRecord[Column]
}

export const toStoredToken = ({
  digest,
  createdAt,
  ...row
}: TokenRow & { digest: string; createdAt: string }): StoredToken => ({
  ...toTokenRecord({ ...row, createdAt }),
  digest,
  createdAt: toDate(createdAt)
})

export const toTokenRecord = (row: TokenRow): TokenRecord => ({
  ...row,
  createdAt: toOptionalDate(row.createdAt),
  expiresAt: toOptionalDate(row.expiresAt),
  revokedAt: toOptionalDate(row.revokedAt),
  lastUsedAt: toOptionalDate(row.lastUsedAt)
})
