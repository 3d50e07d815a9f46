import { test } from 'tap'
import { matrix } from './matrix/matrix.ts'

test('each kind of sender gets the expected response to each operation in the OpenAPI document', async t => {
  await matrix(t)
})
