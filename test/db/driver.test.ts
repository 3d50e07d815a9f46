import { test } from 'tap'
import { driverFor } from '../../db/sqlite/driver.ts'

test('the newer driver is taken where Node can load it and it is installed', async t => {
  const installed = 'tap'
  t.equal(driverFor(10, installed), installed)
  t.equal(driverFor(11, installed), installed)
  t.equal(driverFor(9, installed), 'better-sqlite3', 'it needs Node-API 10, and ends the process without')
  t.equal(driverFor(10, 'a-package-that-is-not-installed'), 'better-sqlite3')
})
