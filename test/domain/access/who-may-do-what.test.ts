import { test } from 'tap'
import { matrix } from './matrix/matrix.ts'

test('who may do what: each operation of the OpenAPI document, requested by each kind of sender', async t => {
  await matrix(t)
})
