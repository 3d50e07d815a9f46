// The same tables and columns as in db/sqlite/schema.ts, plus the tables that several nodes need. Timestamps are ISO
// 8601 strings in UTC with milliseconds. JSON is stored as text, because `jsonb` rejects or rewrites some values that
// clients send.
export * from './schema/apps.ts'
export * from './schema/audits.ts'
export * from './schema/keys.ts'
export * from './schema/limits.ts'
export * from './schema/marks.ts'
export * from './schema/nodes.ts'
export * from './schema/services.ts'
export * from './schema/users.ts'
