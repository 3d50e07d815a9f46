import { sql } from 'drizzle-orm'
import { index, integer, primaryKey, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core'

export const users = sqliteTable(
  'users',
  {
    id: integer('id').primaryKey({ autoIncrement: true }),
    name: text('name').notNull(),
    email: text('email').notNull(),
    createdAt: text('created_at').notNull(),
    updatedAt: text('updated_at').notNull(),
    // An Argon2id hash as a PHC string. Null if the user can't sign in.
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

// Only the SHA-256 of a session token is stored.
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

// The known locations of users. Sign-in attempts from elsewhere can't lock a user out there.
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
