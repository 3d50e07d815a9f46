import { readdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import tap from 'tap'
import { root } from '../helper.ts'
import { emptyPostgres } from '../postgres.ts'

/** The route tests that also run on PostgreSQL. With ROUTES_ON_POSTGRES=all, all of them do. */
const SHARE = ['client-keys', 'limits', 'owned-audits', 'permissions', 'receipts']

const FILES = readdirSync(import.meta.dirname)
  .filter(file => file.endsWith('.test.js'))
  .map(file => basename(file, '.test.js'))
const wanted = process.env['ROUTES_ON_POSTGRES'] === 'all' ? FILES.filter(name => !name.startsWith('postgres')) : SHARE

const url = await emptyPostgres()
if (url !== null) {
  for (const name of wanted) {
    const env = { ...process.env, TEST_DATABASE_URL: url }
    await tap.spawn(
      process.execPath,
      [join(root, `dist-test/test/routes/${name}.test.js`)],
      { env },
      `${name} on PostgreSQL`
    )
  }
}
