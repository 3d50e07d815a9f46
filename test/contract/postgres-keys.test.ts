import tap from 'tap'
import { postgresDatabase } from '../postgres.ts'
import { openKeyStore } from '../postgres-keys.ts'
import { auditRowsContract } from './audit-rows.ts'
import { keyRowsContract } from './key-rows.ts'

if ((await postgresDatabase(tap)) !== null) {
  keyRowsContract('PostgreSQL', openKeyStore)
  auditRowsContract('PostgreSQL', openKeyStore)
}
