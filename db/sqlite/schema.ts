// Timestamps are ISO 8601 text in UTC with milliseconds, in the format of the API, which is sortable. Text has SQLite's
// default collation, binary. If a list is ordered by text, the query names the collation.
export * from './schema/apps.ts'
export * from './schema/audits.ts'
export * from './schema/keys.ts'
export * from './schema/marks.ts'
export * from './schema/services.ts'
export * from './schema/users.ts'
