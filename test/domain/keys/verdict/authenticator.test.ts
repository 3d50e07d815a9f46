import { createHmac } from 'node:crypto'
import { test } from 'tap'
import { createAuthenticator } from '../../../../domain/keys/verdict/authenticator.ts'
import type { KnownToken } from '../../../../domain/keys/client-key.ts'
import { createLegacyTokenOpener } from '../../../../domain/keys/token/legacy.ts'
import { createTokenSealer, digestOf, generationOf, issueClientKey } from '../../../../domain/keys/token/token.ts'
import { knownToken, newSecret, freshnessOf, alwaysFresh } from '../../../helper.ts'

const jwt = (secret: string, payload: unknown, header: unknown = { alg: 'HS256' }): string => {
  const body = [header, payload].map(part => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')
  return `${body}.${createHmac('sha256', secret).update(body).digest('base64url')}`
}

test('a token is accepted if it can be opened and its key_id or digest is on the allow-list', async t => {
  const secret = newSecret()
  const sealer = createTokenSealer(secret)
  const [plain, digested, unlisted] = [issueClientKey(sealer), issueClientKey(sealer), issueClientKey(sealer)]
  const { authenticate } = createAuthenticator({
    secret,
    allowList: [plain.keyId, `sha256:${digestOf(digested.keyId).toUpperCase()}`]
  })
  for (const { keyAccessToken } of [plain, digested]) {
    t.match(await authenticate(keyAccessToken), {
      ok: true,
      token: { key: { source: 'environment', id: /^env_[0-9a-f]{16}$/ } }
    })
    t.match(await authenticate(keyAccessToken), { ok: true }, 'the second request uses the cache')
  }
  t.same(await authenticate(unlisted.keyAccessToken), { ok: false, reason: 'not_allowed' })
  t.same(await authenticate(plain.keyId), { ok: false, reason: 'malformed' }, 'a key_id is not a token')
})

test('a token needs both the key_id and the secret: neither a digest nor another secret is enough', async t => {
  const secret = newSecret()
  const allowed = issueClientKey(createTokenSealer(secret))
  const { authenticate } = createAuthenticator({ secret, allowList: [`sha256:${digestOf(allowed.keyId)}`] })
  const sealedDigest = createTokenSealer(secret).seal(digestOf(allowed.keyId).slice(0, 32))
  t.same(await authenticate(sealedDigest), { ok: false, reason: 'not_allowed' })
  t.same(await authenticate(createTokenSealer(newSecret()).seal(allowed.keyId)), {
    ok: false,
    reason: 'unknown_generation'
  })
})

test('a digest that is not on the allow-list is looked up, synchronously or asynchronously, and the result is cached', async t => {
  const secret = newSecret()
  const { keyId, keyAccessToken } = issueClientKey(createTokenSealer(secret))
  for (const wrap of [(found: KnownToken | null) => found, async (found: KnownToken | null) => found]) {
    const lookUps: string[] = []
    const { authenticate } = createAuthenticator({
      secret,
      lookup: {
        ...alwaysFresh,
        findByDigest: digest => {
          lookUps.push(digest)
          return wrap(digest === digestOf(keyId) ? knownToken() : null)
        }
      }
    })
    t.match(await authenticate(keyAccessToken), { ok: true, token: { key: { id: 'managed' } } })
    t.match(await authenticate(keyAccessToken), { ok: true, token: { key: { id: 'managed' } } })
    t.strictSame(lookUps, [digestOf(keyId)])
    t.same(await authenticate(createTokenSealer(secret).seal('0'.repeat(32))), { ok: false, reason: 'not_allowed' })
  }
})

test('while the revision is unknown, nothing is cached, and cached results are not used', async t => {
  const secret = newSecret()
  const { keyAccessToken } = issueClientKey(createTokenSealer(secret))
  let revision: number | null = null
  let lookUps = 0
  const { authenticate } = createAuthenticator({
    secret,
    lookup: {
      ...freshnessOf(() => revision),
      findByDigest: () => {
        lookUps++
        return knownToken()
      }
    }
  })
  const after = async (next: number | null): Promise<number> => {
    revision = next
    t.match(await authenticate(keyAccessToken), { ok: true })
    return lookUps
  }
  t.same([await after(null), await after(null)], [1, 2], 'the revision is unknown, so each call looks up the token')
  t.same([await after(1), await after(1)], [3, 3], 'the revision is known again, so the first result is cached')
  t.equal(await after(null), 4, 'cached results are not used while the revision is unknown')
  t.same([await after(2), await after(2)], [5, 5])
})

test('the next call detects a change to the epoch', async t => {
  const secret = newSecret()
  const { keyAccessToken } = issueClientKey(createTokenSealer(secret))
  let epoch = 1
  let found: KnownToken | null = knownToken()
  const { authenticate } = createAuthenticator({
    secret,
    lookup: { ...freshnessOf(() => epoch), findByDigest: () => found }
  })
  t.match(await authenticate(keyAccessToken), { ok: true })
  found = knownToken({ revokedAt: new Date() })
  t.match(await authenticate(keyAccessToken), { ok: true }, 'a change without a new epoch is not detected')
  epoch++
  t.match(await authenticate(keyAccessToken), { ok: false, reason: 'key_revoked', token: { key: { id: 'managed' } } })
  found = null
  t.same(await authenticate(keyAccessToken), { ok: false, reason: 'not_allowed' }, 'inactive tokens are not cached')
})

test('a revocation between the lookup and its caching is not missed', async t => {
  const secret = newSecret()
  const { keyAccessToken } = issueClientKey(createTokenSealer(secret))
  let epoch = 1
  let revoked = false
  const { authenticate } = createAuthenticator({
    secret,
    lookup: {
      ...freshnessOf(() => epoch),
      findByDigest: async () => {
        const row = knownToken({ revokedAt: revoked ? new Date() : null })
        // Another process revokes the key after the row is read, but before the reader continues.
        if (!revoked) {
          revoked = true
          epoch++
        }
        return row
      }
    }
  })
  t.match(await authenticate(keyAccessToken), { ok: true }, 'this call started before the revocation')
  t.match(await authenticate(keyAccessToken), { ok: false, reason: 'key_revoked' })
})

test('the expiry is checked in every call, not only before the result is cached', async t => {
  const expiresAt = new Date('2030-01-01T00:00:00.000Z')
  for (const [found, reason] of [
    [knownToken({ expiresAt }), 'key_expired'],
    [knownToken({}, { expiresAt }), 'token_expired']
  ] as const) {
    const secret = newSecret()
    const { keyAccessToken } = issueClientKey(createTokenSealer(secret))
    let lookUps = 0
    const { authenticate } = createAuthenticator({
      secret,
      lookup: {
        ...alwaysFresh,
        findByDigest: () => {
          lookUps++
          return found
        }
      }
    })
    let now = expiresAt.getTime() - 1
    const clock = t.intercept(globalThis, 'Date', {
      value: class extends Date {
        static override now() {
          return now
        }
      }
    })
    t.match(await authenticate(keyAccessToken), { ok: true })
    now = expiresAt.getTime()
    t.match(await authenticate(keyAccessToken), { ok: false, reason })
    t.equal(lookUps, 1, 'only the clock was checked')
    clock.restore()
  }
})

test('a disabled key, or a token that has been revoked separately, is refused with its reason', async t => {
  for (const [found, reason] of [
    [knownToken({ enabled: false }), 'key_disabled'],
    [knownToken({}, { revokedAt: new Date() }), 'token_revoked'],
    [knownToken({ revokedAt: new Date(), enabled: false }), 'key_revoked']
  ] as const) {
    const secret = newSecret()
    const { authenticate } = createAuthenticator({
      secret,
      lookup: { ...alwaysFresh, findByDigest: () => found }
    })
    t.match(await authenticate(issueClientKey(createTokenSealer(secret)).keyAccessToken), {
      ok: false,
      reason,
      token: found
    })
  }
})

test('a revoked key on the allow-list is refused as soon as the epoch changes, even with a legacy token', async t => {
  const secret = newSecret()
  const { keyId, keyAccessToken } = issueClientKey(createTokenSealer(secret))
  let epoch = 0
  for (const wrap of [(at: Date | null) => at, async (at: Date | null) => at]) {
    let revokedAt: Date | null = null
    const { authenticate } = createAuthenticator({
      secret,
      allowList: [keyId],
      lookup: {
        ...freshnessOf(() => epoch),
        findByDigest: () => null,
        findRevocation: digest => wrap(digest === digestOf(keyId) ? revokedAt : null)
      },
      acceptLegacyTokens: true
    })
    t.match(await authenticate(keyAccessToken), { ok: true })
    t.match(await authenticate(jwt(secret, { key_id: keyId })), { ok: true })
    revokedAt = new Date()
    epoch++
    t.match(await authenticate(keyAccessToken), { ok: false, reason: 'key_revoked' })
    t.match(await authenticate(jwt(secret, { key_id: keyId })), { ok: false, reason: 'key_revoked' })
  }
})

test('a managed key stays a managed key even if its key_id is on the allow-list', async t => {
  const secret = newSecret()
  const { keyId, keyAccessToken } = issueClientKey(createTokenSealer(secret))
  const lookup = { ...alwaysFresh, findByDigest: () => knownToken({ revokedAt: new Date() }) }
  const { authenticate } = createAuthenticator({
    secret,
    allowList: [keyId],
    lookup,
    acceptLegacyTokens: true
  })
  t.match(await authenticate(keyAccessToken), { ok: false, reason: 'key_revoked' })
  t.match(await authenticate(jwt(secret, { key_id: keyId })), { ok: false, reason: 'not_allowed' })
})

test('the cache size is limited, and invalid tokens do not evict valid ones', async t => {
  const secret = newSecret()
  const sealer = createTokenSealer(secret)
  const good = issueClientKey(sealer)
  let lookUps = 0
  const { authenticate } = createAuthenticator({
    secret,
    cacheSize: 2,
    lookup: {
      ...alwaysFresh,
      findByDigest: digest => {
        lookUps++
        return digest === digestOf(good.keyId) ? knownToken() : null
      }
    }
  })
  await authenticate(good.keyAccessToken)
  for (let i = 0; i < 100; i++) t.notOk((await authenticate(issueClientKey(sealer).keyAccessToken)).ok)
  lookUps = 0
  t.ok((await authenticate(good.keyAccessToken)).ok)
  t.equal(lookUps, 0, 'the token is still cached')
  await authenticate(sealer.seal(good.keyId))
  await authenticate(sealer.seal(good.keyId))
  lookUps = 0
  t.ok((await authenticate(good.keyAccessToken)).ok)
  t.equal(lookUps, 1, 'two newer tokens have replaced it')
})

test('a failed lookup rejects the call, and nothing is cached', async t => {
  const secret = newSecret()
  const { keyAccessToken } = issueClientKey(createTokenSealer(secret))
  let broken = true
  const { authenticate } = createAuthenticator({
    secret,
    lookup: {
      ...alwaysFresh,
      findByDigest: async () => {
        if (broken) throw new Error('the database is unreachable')
        return knownToken()
      }
    }
  })
  await t.rejects(Promise.resolve(authenticate(keyAccessToken)), { message: 'the database is unreachable' })
  broken = false
  t.match(await authenticate(keyAccessToken), { ok: true })
})

test("Trivial's legacy tokens are accepted for keys on the allow-list if legacy tokens are enabled", async t => {
  const [secret, previous] = [newSecret(), newSecret()]
  const allowList = ['another-key', 'f'.repeat(32)]
  const options = {
    secret,
    previousSecrets: [previous],
    allowList,
    lookup: {
      ...alwaysFresh,
      findByDigest: (digest: string) => (digest === digestOf('managed') ? knownToken() : null)
    }
  }
  const { authenticate } = createAuthenticator({ ...options, acceptLegacyTokens: true })
  const good = jwt(secret, { key_id: 'another-key' })
  t.match(await authenticate(good), { ok: true, token: { key: { source: 'environment' } } })
  t.match(await authenticate(jwt(previous, { key_id: 'f'.repeat(32) })), { ok: true })
  t.same(
    await createAuthenticator(options).authenticate(good),
    { ok: false, reason: 'malformed' },
    'legacy tokens are disabled by default'
  )
  t.match(
    await authenticate(jwt(secret, { key_id: 'managed' })),
    { ok: false, reason: 'not_allowed', token: { key: { id: 'managed' } } },
    'legacy tokens are refused for managed keys'
  )
  let now = Date.now()
  const clock = t.intercept(globalThis, 'Date', {
    value: class extends Date {
      static override now() {
        return now
      }
    }
  })
  const passing = jwt(secret, { key_id: 'another-key', exp: Math.floor(now / 1000) + 60 })
  t.match(await authenticate(passing), { ok: true })
  now += 120_000
  t.same(await authenticate(passing), { ok: false, reason: 'forged' }, 'the token was accepted before it expired')
  clock.restore()
  t.same(await authenticate(jwt(newSecret(), { key_id: 'another-key' })), { ok: false, reason: 'forged' })
})

test('a legacy token has exactly one valid header, algorithm, signature and encoding', async t => {
  const secret = newSecret()
  const open = createLegacyTokenOpener([secret])
  const payload = { key_id: 'another-key' }
  const good = jwt(secret, payload)
  t.same(open(good), { keyId: 'another-key', generation: generationOf(secret) })
  const [header, body, signature = ''] = good.split('.')
  // The last character of a 32-byte signature has two unused bits.
  const digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  const spare = digits[digits.indexOf(signature.at(-1) ?? '') + 1]
  const bad = {
    'another secret': jwt(newSecret(), payload),
    'no algorithm': `${Buffer.from('{"alg":"none"}').toString('base64url')}.${body}.`,
    'another algorithm': jwt(secret, payload, { alg: 'HS512' }),
    'a longer header': jwt(secret, payload, { alg: 'HS256', typ: 'JWT' }),
    'another encoding': `${header}.${body}.${signature.slice(0, -1)}${spare}`,
    padding: `${good}=`,
    'no signature': `${header}.${body}.`,
    'four parts': `${good}.x`,
    'no key_id': jwt(secret, { sub: 'x' }),
    'a number': jwt(secret, { key_id: 1 }),
    'an empty key_id': jwt(secret, { key_id: '' }),
    'not an object': jwt(secret, 'another-key'),
    null: jwt(secret, null),
    expired: jwt(secret, { ...payload, exp: 1 }),
    garbage: 'eyJ.x.y'
  }
  for (const [name, token] of Object.entries(bad)) t.equal(open(token), null, name)
})
