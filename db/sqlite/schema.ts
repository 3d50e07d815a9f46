// Instants are ISO 8601 text in UTC with milliseconds, as the API shows them; they sort as they read.
export * from './schema/apps.ts'
export * from './schema/audits.ts'
export * from './schema/keys.ts'
export * from './schema/users.ts'
