import { createHmac } from 'node:crypto'
import { test } from 'tap'
import { createAuthenticator } from '../../../../domain/keys/verdict/authenticator.ts'
import type { KnownToken } from '../../../../domain/keys/client-key.ts'
import { createLegacyTokenOpener } from '../../../../domain/keys/token/legacy.ts'
import { createTokenSealer, digestOf, generationOf, issueClientKey } from '../../../../domain/keys/token/token.ts'
import { knownToken, newSecret, movingWith, unchanging } from '../../../helper.ts'

const jwt = (secret: string, payload: unknown, header: unknown = { alg: 'HS256' }): string => {
  const body = [header, payload].map(part => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')
  return `${body}.${createHmac('sha256', secret).update(body).digest('base64url')}`
}

test('a token is good when it opens and its digest is allowed, by key_id or by digest', async t => {
  const secret = newSecret()
  const sealer = createTokenSealer(secret)
  const [plain, digested, stranger] = [issueClientKey(sealer), issueClientKey(sealer), issueClientKey(sealer)]
  const authenticate = createAuthenticator({
    secret,
    allowList: [plain.keyId, `sha256:${digestOf(digested.keyId).toUpperCase()}`]
  })
  for (const { keyAccessToken } of [plain, digested]) {
    t.match(await authenticate(keyAccessToken), {
      ok: true,
      token: { key: { source: 'environment', id: /^env_[0-9a-f]{16}$/ } }
    })
    t.match(await authenticate(keyAccessToken), { ok: true }, 'and again, from the cache')
  }
  t.same(await authenticate(stranger.keyAccessToken), { ok: false, reason: 'not_allowed' })
  t.same(await authenticate(plain.keyId), { ok: false, reason: 'malformed' }, 'a key_id is no token')
})

test('a digest makes no token, and a secret makes no key', async t => {
  const secret = newSecret()
  const allowed = issueClientKey(createTokenSealer(secret))
  const authenticate = createAuthenticator({ secret, allowList: [`sha256:${digestOf(allowed.keyId)}`] })
  const byThief = createTokenSealer(secret).seal(digestOf(allowed.keyId).slice(0, 32))
  t.same(await authenticate(byThief), { ok: false, reason: 'not_allowed' })
  t.same(await authenticate(createTokenSealer(newSecret()).seal(allowed.keyId)), {
    ok: false,
    reason: 'unknown_generation'
  })
})

test('a look-up is asked for what the allow-list does not have, at once or later, and its answer is remembered', async t => {
  const secret = newSecret()
  const { keyId, keyAccessToken } = issueClientKey(createTokenSealer(secret))
  for (const wrap of [(found: KnownToken | null) => found, async (found: KnownToken | null) => found]) {
    const asked: string[] = []
    const authenticate = createAuthenticator({
      secret,
      lookup: {
        ...unchanging,
        findByDigest: digest => {
          asked.push(digest)
          return wrap(digest === digestOf(keyId) ? knownToken() : null)
        }
      }
    })
    t.match(await authenticate(keyAccessToken), { ok: true, token: { key: { id: 'managed' } } })
    t.match(await authenticate(keyAccessToken), { ok: true, token: { key: { id: 'managed' } } })
    t.strictSame(asked, [digestOf(keyId)])
    t.same(await authenticate(createTokenSealer(secret).seal('0'.repeat(32))), { ok: false, reason: 'not_allowed' })
  }
})

test('nothing is remembered while the look-up is not sure of its revision, nor used that was before', async t => {
  const secret = newSecret()
  const { keyAccessToken } = issueClientKey(createTokenSealer(secret))
  let revision: number | null = null
  let lookUps = 0
  const authenticate = createAuthenticator({
    secret,
    lookup: {
      ...movingWith(() => revision),
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
  t.same([await after(null), await after(null)], [1, 2], 'not sure, so each call looks')
  t.same([await after(1), await after(1)], [3, 3], 'sure again: remembered from the first look on')
  t.equal(await after(null), 4, 'what is remembered does not count while it is not sure')
  t.same([await after(2), await after(2)], [5, 5])
})

test('a change that moves the epoch is seen by the very next call', async t => {
  const secret = newSecret()
  const { keyAccessToken } = issueClientKey(createTokenSealer(secret))
  let epoch = 1
  let found: KnownToken | null = knownToken()
  const authenticate = createAuthenticator({
    secret,
    lookup: { ...movingWith(() => epoch), findByDigest: () => found }
  })
  t.match(await authenticate(keyAccessToken), { ok: true })
  found = knownToken({ revokedAt: new Date() })
  t.match(await authenticate(keyAccessToken), { ok: true }, 'without a new epoch nobody could know')
  epoch++
  t.match(await authenticate(keyAccessToken), { ok: false, reason: 'key_revoked', token: { key: { id: 'managed' } } })
  found = null
  t.same(await authenticate(keyAccessToken), { ok: false, reason: 'not_allowed' }, 'what is not live is not remembered')
})

test('a revoke between the look-up and the filling of the cache is not lost', async t => {
  const secret = newSecret()
  const { keyAccessToken } = issueClientKey(createTokenSealer(secret))
  let epoch = 1
  let revoked = false
  const authenticate = createAuthenticator({
    secret,
    lookup: {
      ...movingWith(() => epoch),
      findByDigest: async () => {
        const row = knownToken({ revokedAt: revoked ? new Date() : null })
        // The row is read; before its reader goes on, someone revokes the key.
        if (!revoked) {
          revoked = true
          epoch++
        }
        return row
      }
    }
  })
  t.match(await authenticate(keyAccessToken), { ok: true }, 'this call had begun before the revoke')
  t.match(await authenticate(keyAccessToken), { ok: false, reason: 'key_revoked' })
})

test('expiry is compared on every call, not only when the cache is filled', async t => {
  const expiresAt = new Date('2030-01-01T00:00:00.000Z')
  for (const [found, reason] of [
    [knownToken({ expiresAt }), 'key_expired'],
    [knownToken({}, { expiresAt }), 'token_expired']
  ] as const) {
    const secret = newSecret()
    const { keyAccessToken } = issueClientKey(createTokenSealer(secret))
    let asked = 0
    const authenticate = createAuthenticator({
      secret,
      lookup: {
        ...unchanging,
        findByDigest: () => {
          asked++
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
    t.equal(asked, 1, 'by the clock alone')
    clock.restore()
  }
})

test('a key that is disabled, or a token that was revoked by itself, is refused with its reason', async t => {
  for (const [found, reason] of [
    [knownToken({ enabled: false }), 'key_disabled'],
    [knownToken({}, { revokedAt: new Date() }), 'token_revoked'],
    [knownToken({ revokedAt: new Date(), enabled: false }), 'key_revoked']
  ] as const) {
    const secret = newSecret()
    const authenticate = createAuthenticator({
      secret,
      lookup: { ...unchanging, findByDigest: () => found }
    })
    t.match(await authenticate(issueClientKey(createTokenSealer(secret)).keyAccessToken), {
      ok: false,
      reason,
      token: found
    })
  }
})

test('a key of the allow-list that is revoked is refused, at once where the epoch moves, and as a legacy token too', async t => {
  const secret = newSecret()
  const { keyId, keyAccessToken } = issueClientKey(createTokenSealer(secret))
  let epoch = 0
  for (const wrap of [(at: Date | null) => at, async (at: Date | null) => at]) {
    let revokedAt: Date | null = null
    const authenticate = createAuthenticator({
      secret,
      allowList: [keyId],
      lookup: {
        ...movingWith(() => epoch),
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

test('a managed key stays what it is where its key_id is put on the allow-list', async t => {
  const secret = newSecret()
  const { keyId, keyAccessToken } = issueClientKey(createTokenSealer(secret))
  const lookup = { ...unchanging, findByDigest: () => knownToken({ revokedAt: new Date() }) }
  const authenticate = createAuthenticator({
    secret,
    allowList: [keyId],
    lookup,
    acceptLegacyTokens: true
  })
  t.match(await authenticate(keyAccessToken), { ok: false, reason: 'key_revoked' })
  t.match(await authenticate(jwt(secret, { key_id: keyId })), { ok: false, reason: 'not_allowed' })
})

test('the cache is bounded, and a flood of bad tokens pushes no good one out', async t => {
  const secret = newSecret()
  const sealer = createTokenSealer(secret)
  const good = issueClientKey(sealer)
  let asked = 0
  const authenticate = createAuthenticator({
    secret,
    cacheSize: 2,
    lookup: {
      ...unchanging,
      findByDigest: digest => {
        asked++
        return digest === digestOf(good.keyId) ? knownToken() : null
      }
    }
  })
  await authenticate(good.keyAccessToken)
  for (let i = 0; i < 100; i++) t.notOk((await authenticate(issueClientKey(sealer).keyAccessToken)).ok)
  asked = 0
  t.ok((await authenticate(good.keyAccessToken)).ok)
  t.equal(asked, 0, 'still remembered')
  await authenticate(sealer.seal(good.keyId))
  await authenticate(sealer.seal(good.keyId))
  asked = 0
  t.ok((await authenticate(good.keyAccessToken)).ok)
  t.equal(asked, 1, 'two newer tokens took its place')
})

test('a look-up that fails fails the call, and nothing is remembered', async t => {
  const secret = newSecret()
  const { keyAccessToken } = issueClientKey(createTokenSealer(secret))
  let broken = true
  const authenticate = createAuthenticator({
    secret,
    lookup: {
      ...unchanging,
      findByDigest: async () => {
        if (broken) throw new Error('the database is away')
        return knownToken()
      }
    }
  })
  await t.rejects(Promise.resolve(authenticate(keyAccessToken)), { message: 'the database is away' })
  broken = false
  t.match(await authenticate(keyAccessToken), { ok: true })
})

test("Trivial's own tokens are good for keys of the allow-list, where they are accepted", async t => {
  const [secret, previous] = [newSecret(), newSecret()]
  const allowList = ['another-key', 'f'.repeat(32)]
  const options = {
    secret,
    previousSecrets: [previous],
    allowList,
    lookup: {
      ...unchanging,
      findByDigest: (digest: string) => (digest === digestOf('managed') ? knownToken() : null)
    }
  }
  const authenticate = createAuthenticator({ ...options, acceptLegacyTokens: true })
  const good = jwt(secret, { key_id: 'another-key' })
  t.match(await authenticate(good), { ok: true, token: { key: { source: 'environment' } } })
  t.match(await authenticate(jwt(previous, { key_id: 'f'.repeat(32) })), { ok: true })
  t.same(await createAuthenticator(options)(good), { ok: false, reason: 'malformed' }, 'off by default')
  t.match(
    await authenticate(jwt(secret, { key_id: 'managed' })),
    { ok: false, reason: 'not_allowed', token: { key: { id: 'managed' } } },
    'never for a managed key'
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
  t.same(await authenticate(passing), { ok: false, reason: 'forged' }, 'once seen, and expired since')
  clock.restore()
  t.same(await authenticate(jwt(newSecret(), { key_id: 'another-key' })), { ok: false, reason: 'forged' })
})

test('a legacy token has one header, one algorithm, one signature and one spelling', async t => {
  const secret = newSecret()
  const open = createLegacyTokenOpener([secret])
  const payload = { key_id: 'another-key' }
  const good = jwt(secret, payload)
  t.same(open(good), { keyId: 'another-key', generation: generationOf(secret) })
  const [header, body, signature = ''] = good.split('.')
  // The last digit of a signature of 32 bytes has two bits to spare.
  const digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  const spare = digits[digits.indexOf(signature.at(-1) ?? '') + 1]
  const bad = {
    'another secret': jwt(newSecret(), payload),
    'no algorithm': `${Buffer.from('{"alg":"none"}').toString('base64url')}.${body}.`,
    'another algorithm': jwt(secret, payload, { alg: 'HS512' }),
    'a longer header': jwt(secret, payload, { alg: 'HS256', typ: 'JWT' }),
    'another spelling': `${header}.${body}.${signature.slice(0, -1)}${spare}`,
    padding: `${good}=`,
    'no signature': `${header}.${body}.`,
    'four parts': `${good}.x`,
    'no key_id': jwt(secret, { sub: 'x' }),
    'a number': jwt(secret, { key_id: 1 }),
    'an empty key_id': jwt(secret, { key_id: '' }),
    'no object': jwt(secret, 'another-key'),
    null: jwt(secret, null),
    expired: jwt(secret, { ...payload, exp: 1 }),
    garbage: 'eyJ.x.y'
  }
  for (const [name, token] of Object.entries(bad)) t.equal(open(token), null, name)
})
