import { test } from 'tap'
import { postgresDatabase } from '../../postgres.ts'
import { matrix } from './matrix/matrix.ts'

test('who may do what is the same on PostgreSQL', async t => {
  const url = await postgresDatabase(t)
  if (url !== null) await matrix(t, url)
})
