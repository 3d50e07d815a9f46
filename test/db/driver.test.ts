import { test } from 'tap'
import { driverFor } from '../../db/sqlite/driver.ts'

test('the newer driver is used if it is installed and Node can load it', async t => {
  const installed = 'tap'
  t.equal(driverFor(10, installed), installed)
  t.equal(driverFor(11, installed), installed)
  t.equal(driverFor(9, installed), 'better-sqlite3', 'it requires Node-API 10, and would abort the process')
  t.equal(driverFor(10, 'a-package-that-is-not-installed'), 'better-sqlite3')
})
