import { sql } from 'drizzle-orm'
import { boolean, check, index, pgTable, primaryKey, uniqueIndex } from 'drizzle-orm/pg-core'
import { digest, integer, text } from './types.ts'

// No column contains a key_id or a token, and neither can be computed from a digest.
export const clientKeys = pgTable(
  'client_keys',
  {
    row: integer('row').primaryKey().generatedByDefaultAsIdentity(),
    id: text('id').notNull(),
    name: text('name').notNull(),
    description: text('description'),
    scopes: text('scopes').notNull(),
    expiresAt: text('expires_at'),
    enabled: boolean('enabled').notNull(),
    allowedIps: text('allowed_ips').notNull(),
    rateLimitMax: integer('rate_limit_max'),
    rateLimitWindowSeconds: integer('rate_limit_window_seconds'),
    metadata: text('metadata').notNull(),
    createdAt: text('created_at').notNull(),
    createdBy: text('created_by').notNull(),
    revokedAt: text('revoked_at'),
    revokedReason: text('revoked_reason'),
    // The latest use of any of its tokens, so that a list doesn't have to read the tokens.
    lastUsedAt: text('last_used_at'),
    owner: text('owner')
  },
  table => [
    uniqueIndex('client_keys_id_unique').on(table.id),
    uniqueIndex('client_keys_name_unique')
      .on(table.name)
      .where(sql`${table.revokedAt} is null`),
    index('client_keys_owner')
      .on(table.owner, table.id)
      .where(sql`${table.owner} is not null`),
    check('client_keys_rate_limit', sql`(${table.rateLimitMax} is null) = (${table.rateLimitWindowSeconds} is null)`)
  ]
)

export const clientKeyTokens = pgTable(
  'client_key_tokens',
  {
    digest: digest('digest').primaryKey(),
    clientKey: integer('client_key')
      .notNull()
      .references(() => clientKeys.row, { onDelete: 'restrict' }),
    generation: text('generation').notNull(),
    hint: text('hint').notNull(),
    createdAt: text('created_at').notNull(),
    expiresAt: text('expires_at'),
    revokedAt: text('revoked_at'),
    lastUsedAt: text('last_used_at'),
    lastUsedIp: text('last_used_ip'),
    lastUsedAgent: text('last_used_agent'),
    useCount: integer('use_count').notNull().default(0)
  },
  table => [
    index('client_key_tokens_client_key').on(table.clientKey, table.createdAt),
    index('client_key_tokens_generation').on(table.generation)
  ]
)

// Entries in CLIENT_KEYS that have been revoked but are still in the environment.
export const environmentKeyRevocations = pgTable('environment_key_revocations', {
  digest: digest('digest').primaryKey(),
  revokedAt: text('revoked_at').notNull(),
  revokedReason: text('revoked_reason')
})

export const environmentKeyUses = pgTable(
  'environment_key_uses',
  {
    clientKeyId: text('client_key_id').notNull(),
    generation: text('generation').notNull(),
    lastUsedAt: text('last_used_at').notNull(),
    lastUsedIp: text('last_used_ip').notNull(),
    lastUsedAgent: text('last_used_agent'),
    useCount: integer('use_count').notNull()
  },
  table => [primaryKey({ columns: [table.clientKeyId, table.generation] })]
)

// The secret generations of the service that started last. The next service to start must have one of them.
export const secretGenerations = pgTable('secret_generations', {
  generation: text('generation').primaryKey(),
  recordedAt: text('recorded_at').notNull()
})

// Partitioned by day in the migration. Old counts are dropped with their partition.
export const clientKeyUsage = pgTable(
  'client_key_usage',
  {
    clientKeyId: text('client_key_id').notNull(),
    day: text('day').notNull(),
    kind: text('kind').$type<'scope' | 'refusal' | 'address'>().notNull(),
    label: text('label').notNull(),
    count: integer('count').notNull()
  },
  table => [primaryKey({ columns: [table.clientKeyId, table.day, table.kind, table.label] })]
)

export const clientKeyAttempts = pgTable(
  'client_key_attempts',
  {
    requester: text('caller').notNull(),
    keyHash: digest('key_hash').notNull(),
    requestHash: digest('request_hash').notNull(),
    clientKey: integer('client_key')
      .notNull()
      .references(() => clientKeys.row, { onDelete: 'cascade' }),
    tokenDigest: digest('token_digest').notNull(),
    at: text('at').notNull()
  },
  table => [primaryKey({ columns: [table.requester, table.keyHash] }), index('client_key_attempts_at').on(table.at)]
)
