import { test } from 'tap'
import { hideTables } from './sqlite.ts'

test('no response is a 500 if any SQLite table is missing', async t => {
  await hideTables(t)
})
