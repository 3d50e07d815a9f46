import type { Test } from 'tap'
import type { Storage } from '../../db/storage.ts'
import { appRowsContract } from './app-rows.ts'
import type { TestStore } from './app-rows.ts'
import { auditRowsContract } from './audit-rows.ts'
import { keyRowsContract } from './key-rows.ts'
import { organizationRowsContract } from './organization-rows.ts'
import { serviceRowsContract } from './service-rows.ts'
import { storageContract } from './storage.ts'
import { userRowsContract } from './user-rows.ts'

/** Defines all tests that a database must pass on every engine. `open` opens a new, empty database. */
export const contracts = (engine: string, open: (t: Test) => Promise<Storage & TestStore>): void => {
  for (const contract of [
    appRowsContract,
    auditRowsContract,
    organizationRowsContract,
    userRowsContract,
    serviceRowsContract,
    storageContract
  ]) {
    contract(engine, open)
  }
  keyRowsContract(engine, async t => (await open(t)).keys)
}
