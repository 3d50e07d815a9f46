// The entry point trivial-api/client-key-auth/sqlite of the package.
export { openSqliteStore } from '../db/sqlite/key-store.ts'
export type { SqliteStore } from '../db/sqlite/key-store.ts'
