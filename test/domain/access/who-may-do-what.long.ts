import { test } from 'tap'
import { postgresDatabase } from '../../postgres.ts'
import { matrix } from './matrix/matrix.ts'

test('each kind of sender gets the expected response to each operation on PostgreSQL', async t => {
  const url = await postgresDatabase(t)
  if (url !== null) await matrix(t, url)
})
