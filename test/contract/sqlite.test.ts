import { appRowsContract } from './app-rows.ts'
import { auditRowsContract } from './audit-rows.ts'
import { sqlite } from './engines.ts'
import { keyRowsContract } from './key-rows.ts'
import { organizationRowsContract } from './organization-rows.ts'
import { storageContract } from './storage.ts'
import { userRowsContract } from './user-rows.ts'

for (const contract of [
  appRowsContract,
  auditRowsContract,
  organizationRowsContract,
  userRowsContract,
  storageContract
]) {
  contract('SQLite', sqlite)
}
keyRowsContract('SQLite', async t => (await sqlite(t)).keys)
