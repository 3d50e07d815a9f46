// Timestamps are ISO 8601 strings in UTC with milliseconds, as in the API, so they sort chronologically. Text has
// SQLite's default collation, binary. Queries that order a list by text specify the collation.
export * from './schema/apps.ts'
export * from './schema/audits.ts'
export * from './schema/keys.ts'
export * from './schema/marks.ts'
export * from './schema/services.ts'
export * from './schema/users.ts'
