// Instants are ISO 8601 text in UTC with milliseconds, as the API shows them; they sort as they read. Texts have
// SQLite's default collation, binary; where a list is ordered by a text, the query says so.
export * from './schema/apps.ts'
export * from './schema/audits.ts'
export * from './schema/keys.ts'
export * from './schema/marks.ts'
export * from './schema/users.ts'
