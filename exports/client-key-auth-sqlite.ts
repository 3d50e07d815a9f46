// The package's entry point `trivial-api/client-key-auth/sqlite`.
export { openSqliteStore } from '../db/sqlite/key-store.ts'
export type { SqliteStore } from '../db/sqlite/key-store.ts'
