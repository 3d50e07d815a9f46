import { sql } from 'drizzle-orm'
import { check, index, integer, primaryKey, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core'

// Instants are ISO 8601 text in UTC with milliseconds, as the API shows them; they sort as they read.

export const users = sqliteTable(
  'users',
  {
    id: integer('id').primaryKey({ autoIncrement: true }),
    name: text('name').notNull(),
    email: text('email').notNull(),
    createdAt: text('created_at').notNull(),
    updatedAt: text('updated_at').notNull(),
    // Argon2id, in the form of PHC strings; null: the user can't sign in.
    passwordHash: text('password_hash'),
    role: text('role', { enum: ['member', 'admin'] })
      .notNull()
      .default('member'),
    colorTheme: text('color_theme'),
    accountLocked: integer('account_locked', { mode: 'boolean' }).notNull().default(false)
  },
  table => [uniqueIndex('users_email_unique').on(sql`lower(${table.email})`)]
)

export const organizations = sqliteTable('organizations', {
  id: integer('id').primaryKey({ autoIncrement: true }),
  name: text('name').notNull(),
  billingEmail: text('billing_email').notNull(),
  createdAt: text('created_at').notNull(),
  updatedAt: text('updated_at').notNull()
})

// No session token is kept, only its SHA-256.
export const sessions = sqliteTable(
  'sessions',
  {
    digest: text('digest').primaryKey(),
    id: text('id').notNull(),
    userId: integer('user_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    client: text('client').notNull(),
    createdAt: text('created_at').notNull(),
    expiresAt: text('expires_at').notNull(),
    address: text('address').notNull(),
    agent: text('agent')
  },
  table => [uniqueIndex('sessions_id_unique').on(table.id), index('sessions_user').on(table.userId)]
)

// Where a user has signed in, so that attempts of strangers do not count there.
export const userPlaces = sqliteTable(
  'user_places',
  {
    userId: integer('user_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    place: text('place').notNull(),
    lastAt: text('last_at').notNull()
  },
  table => [primaryKey({ columns: [table.userId, table.place] })]
)

export const memberships = sqliteTable(
  'memberships',
  {
    organizationId: integer('organization_id')
      .notNull()
      .references(() => organizations.id, { onDelete: 'cascade' }),
    userId: integer('user_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    role: text('role', { enum: ['admin', 'member', 'guest'] }).notNull()
  },
  table => [primaryKey({ columns: [table.organizationId, table.userId] }), index('memberships_user').on(table.userId)]
)

// An owner is one of two columns rather than a type and a number, so that foreign keys can keep it real.
export const apps = sqliteTable(
  'apps',
  {
    id: integer('id').primaryKey({ autoIncrement: true }),
    name: text('name').notNull(),
    descriptiveName: text('descriptive_name').notNull(),
    port: integer('port').notNull(),
    readableBy: text('readable_by'),
    userId: integer('user_id').references(() => users.id, { onDelete: 'restrict' }),
    organizationId: integer('organization_id').references(() => organizations.id, { onDelete: 'restrict' }),
    createdAt: text('created_at').notNull(),
    updatedAt: text('updated_at').notNull(),
    discardedAt: text('discarded_at'),
    // Last, since they may be large: what comes after would be found only by reading through them.
    schedule: text('schedule'),
    panels: text('panels')
  },
  table => [
    uniqueIndex('apps_name_unique').on(table.name),
    uniqueIndex('apps_port_unique')
      .on(table.port)
      .where(sql`${table.discardedAt} is null`),
    uniqueIndex('apps_user_descriptive_name_unique')
      .on(table.userId, table.descriptiveName)
      .where(sql`${table.discardedAt} is null and ${table.userId} is not null`),
    uniqueIndex('apps_organization_descriptive_name_unique')
      .on(table.organizationId, table.descriptiveName)
      .where(sql`${table.discardedAt} is null and ${table.organizationId} is not null`),
    index('apps_listing').on(table.descriptiveName, table.id),
    // What a user sees is gathered from these four: see db/sqlite/visibility.ts.
    index('apps_user').on(table.userId),
    index('apps_organization').on(table.organizationId),
    index('apps_public')
      .on(table.readableBy)
      .where(sql`${table.readableBy} is not null`),
    check('apps_one_owner', sql`(${table.userId} is null) <> (${table.organizationId} is null)`),
    check('apps_panels_json', sql`${table.panels} is null or json_valid(${table.panels})`),
    check('apps_schedule_json', sql`${table.schedule} is null or json_valid(${table.schedule})`)
  ]
)

// A row a user, app and permit.
export const grants = sqliteTable(
  'grants',
  {
    appId: integer('app_id')
      .notNull()
      .references(() => apps.id, { onDelete: 'cascade' }),
    userId: integer('user_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    permit: integer('permit').notNull()
  },
  table => [
    primaryKey({ columns: [table.appId, table.userId, table.permit] }),
    index('grants_user').on(table.userId, table.appId, table.permit),
    check('grants_permit', sql`${table.permit} in (1, 2, 4, 8, 16, 32)`)
  ]
)

export const tags = sqliteTable(
  'tags',
  {
    id: integer('id').primaryKey({ autoIncrement: true }),
    appId: integer('app_id')
      .notNull()
      .references(() => apps.id, { onDelete: 'cascade' }),
    context: text('context').notNull(),
    name: text('name').notNull()
  },
  table => [uniqueIndex('tags_app_context_name_unique').on(table.appId, table.context, table.name)]
)

// Nothing here holds a key_id or a token; a digest makes neither. `row` is what tokens refer to, since rows of an
// integer key are found in one step.
export const clientKeys = sqliteTable(
  'client_keys',
  {
    row: integer('row').primaryKey({ autoIncrement: true }),
    id: text('id').notNull(),
    name: text('name').notNull(),
    description: text('description'),
    scopes: text('scopes').notNull(),
    expiresAt: text('expires_at'),
    enabled: integer('enabled', { mode: 'boolean' }).notNull(),
    allowedIps: text('allowed_ips').notNull(),
    rateLimitMax: integer('rate_limit_max'),
    rateLimitWindowSeconds: integer('rate_limit_window_seconds'),
    metadata: text('metadata').notNull(),
    createdAt: text('created_at').notNull(),
    createdBy: text('created_by').notNull(),
    revokedAt: text('revoked_at'),
    revokedReason: text('revoked_reason'),
    // The latest of its tokens', so that a list need not look at them.
    lastUsedAt: text('last_used_at')
  },
  table => [
    uniqueIndex('client_keys_id_unique').on(table.id),
    uniqueIndex('client_keys_name_unique')
      .on(table.name)
      .where(sql`${table.revokedAt} is null`),
    check('client_keys_rate_limit', sql`(${table.rateLimitMax} is null) = (${table.rateLimitWindowSeconds} is null)`),
    check(
      'client_keys_json',
      sql`json_valid(${table.scopes}) and json_valid(${table.allowedIps}) and json_valid(${table.metadata}) and json_valid(${table.createdBy})`
    )
  ]
)

// The migration adds WITHOUT ROWID, so that a token is found in one step as well.
export const clientKeyTokens = sqliteTable(
  'client_key_tokens',
  {
    digest: text('digest').primaryKey(),
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

// Entries of CLIENT_KEYS that are good no more, although the environment still has them.
export const environmentKeyRevocations = sqliteTable('environment_key_revocations', {
  digest: text('digest').primaryKey(),
  revokedAt: text('revoked_at').notNull(),
  revokedReason: text('revoked_reason')
})

export const environmentKeyUses = sqliteTable(
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

export const clientKeyUsage = sqliteTable(
  'client_key_usage',
  {
    clientKeyId: text('client_key_id').notNull(),
    day: text('day').notNull(),
    kind: text('kind', { enum: ['scope', 'refusal', 'address'] }).notNull(),
    label: text('label').notNull(),
    count: integer('count').notNull()
  },
  table => [
    primaryKey({ columns: [table.clientKeyId, table.day, table.kind, table.label] }),
    index('client_key_usage_day').on(table.day)
  ]
)

// One row, which every change to any key counts up: what others have cached of keys is good for as long as it stands
// still.
export const clientKeyEpoch = sqliteTable('client_key_epoch', {
  id: integer('id').primaryKey(),
  epoch: integer('epoch').notNull()
})

export const clientKeyAttempts = sqliteTable(
  'client_key_attempts',
  {
    caller: text('caller').notNull(),
    keyHash: text('key_hash').notNull(),
    requestHash: text('request_hash').notNull(),
    clientKey: integer('client_key')
      .notNull()
      .references(() => clientKeys.row, { onDelete: 'cascade' }),
    tokenDigest: text('token_digest').notNull(),
    at: text('at').notNull()
  },
  table => [primaryKey({ columns: [table.caller, table.keyHash] }), index('client_key_attempts_at').on(table.at)]
)

// Append-only: triggers of the migration refuse every other change.
export const audits = sqliteTable(
  'audits',
  {
    sequence: integer('sequence').primaryKey({ autoIncrement: true }),
    at: text('at').notNull(),
    actorKind: text('actor_kind').notNull(),
    actorId: text('actor_id').notNull(),
    actorName: text('actor_name').notNull(),
    action: text('action').notNull(),
    subjectType: text('subject_type').notNull(),
    subjectId: text('subject_id').notNull(),
    changes: text('changes').notNull(),
    address: text('address'),
    requestId: text('request_id'),
    previousHash: text('previous_hash').notNull(),
    hash: text('hash').notNull()
  },
  table => [
    // Each filter of the trail has an index that answers in the order of the trail, but for that of time.
    index('audits_subject').on(table.subjectType, table.subjectId, table.sequence),
    index('audits_subject_type').on(table.subjectType, table.sequence),
    index('audits_subject_id').on(table.subjectId, table.sequence),
    index('audits_actor').on(table.actorId, table.sequence),
    index('audits_actor_kind').on(table.actorKind, table.sequence),
    index('audits_action').on(table.action, table.sequence),
    index('audits_at').on(table.at),
    check('audits_changes_json', sql`json_valid(${table.changes})`)
  ]
)
