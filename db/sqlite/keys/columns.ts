import type { Actor } from '../../../domain/audits/audit.ts'
import type { ClientKeyRecord, KeyChange, TokenRecord } from '../../../domain/keys/client-key.ts'
import { toOptionalDate, toOptionalText } from '../../instants.ts'
import { clientKeyTokens } from '../schema.ts'
import type { clientKeys } from '../schema.ts'
import { toRateLimit } from './tokens.ts'

type KeyRow = typeof clientKeys.$inferSelect

export const toKeyRecord = (row: KeyRow): ClientKeyRecord => ({
  id: row.id,
  name: row.name,
  source: 'managed',
  description: row.description,
  scopes: JSON.parse(row.scopes) as string[],
  expiresAt: toOptionalDate(row.expiresAt),
  enabled: row.enabled,
  allowedIps: JSON.parse(row.allowedIps) as string[],
  rateLimit: toRateLimit(row.rateLimitMax, row.rateLimitWindowSeconds),
  metadata: row.metadata,
  createdAt: toOptionalDate(row.createdAt),
  createdBy: JSON.parse(row.createdBy) as Actor,
  revokedAt: toOptionalDate(row.revokedAt),
  revokedReason: row.revokedReason,
  lastUsedAt: toOptionalDate(row.lastUsedAt)
})

/** The columns of what is changed of a key; what is left out stays as it is. */
export const toChangedColumns = (change: KeyChange) => ({
  ...(change.name === undefined ? {} : { name: change.name }),
  ...(change.description === undefined ? {} : { description: change.description }),
  ...(change.enabled === undefined ? {} : { enabled: change.enabled }),
  ...(change.scopes === undefined ? {} : { scopes: JSON.stringify(change.scopes) }),
  ...(change.expiresAt === undefined ? {} : { expiresAt: toOptionalText(change.expiresAt) }),
  ...(change.allowedIps === undefined ? {} : { allowedIps: JSON.stringify(change.allowedIps) }),
  ...(change.rateLimit === undefined
    ? {}
    : { rateLimitMax: change.rateLimit?.max ?? null, rateLimitWindowSeconds: change.rateLimit?.windowSeconds ?? null }),
  ...(change.metadata === undefined ? {} : { metadata: change.metadata })
})

export const tokenColumns = {
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

export const toTokenRecord = (row: TokenRow): TokenRecord => ({
  ...row,
  createdAt: toOptionalDate(row.createdAt),
  expiresAt: toOptionalDate(row.expiresAt),
  revokedAt: toOptionalDate(row.revokedAt),
  lastUsedAt: toOptionalDate(row.lastUsedAt)
})
