import { test } from 'tap'
import { rateLimitOf } from '../../../domain/keys/client-key.ts'

test('rateLimitOf returns the rate limit of a key, or throws if it has none', async t => {
  const rateLimit = { max: 3, windowSeconds: 60 }
  t.equal(rateLimitOf({ rateLimit }), rateLimit)
  t.throws(() => rateLimitOf({ rateLimit: null }), { message: 'the key has no rate limit' })
})
