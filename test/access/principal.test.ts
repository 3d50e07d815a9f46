import { test } from 'tap'
import { principalOf } from '../../access/principal.ts'

test('a request that nobody was let in with acts for nobody', async t => {
  t.throws(() => principalOf({ principal: null }), { message: /nobody/ })
})
