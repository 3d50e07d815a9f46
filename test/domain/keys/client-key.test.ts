import { test } from 'tap'
import { rateLimitOf } from '../../../domain/keys/client-key.ts'

test("rateLimitOf returns a key's rate limit, or throws if it has none", async t => {
  const rateLimit = { max: 3, windowSeconds: 60 }
  t.equal(rateLimitOf({ rateLimit }), rateLimit)
  t.throws(() => rateLimitOf({ rateLimit: null }), { message: 'the key has no rate limit' })
})
