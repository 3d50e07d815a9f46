import { test } from 'tap'
import { hideTables } from './sqlite.ts'

test('if any table of SQLite is missing, no reply is a 500', async t => {
  await hideTables(t)
})
