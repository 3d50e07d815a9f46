import { join } from 'node:path'
import tap from 'tap'
import { root } from '../helper.ts'
import { emptyPostgres } from '../postgres.ts'

/** The tests of routes that run once more on PostgreSQL. Every other can: TEST_DATABASE_URL names an empty database. */
const SHARE = ['apps', 'client-keys', 'limits', 'organizations', 'permissions', 'receipts', 'scopes', 'users']

const url = await emptyPostgres()
if (url !== null) {
  for (const name of SHARE) {
    const env = { ...process.env, TEST_DATABASE_URL: url }
    await tap.spawn(
      process.execPath,
      [join(root, `dist-test/test/routes/${name}.test.js`)],
      { env },
      `${name} on PostgreSQL`
    )
  }
}
