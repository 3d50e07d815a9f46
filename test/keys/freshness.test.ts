import { test } from 'tap'
import { openStores } from '../../db/open.ts'
import { createAuthenticator } from '../../keys/authenticator.ts'
import { createKeyRegistry } from '../../keys/registry.ts'
import { createTokenSealer, digestOf } from '../../keys/token.ts'
import { settings } from '../helper.ts'
import type { Test } from 'tap'

const author = { origin: { actor: { kind: 'cli', id: '0', name: 'tester' }, address: null, requestId: null }, token: null } as const

/** The same database twice, as two processes have it. */
const twoSides = (t: Test) => {
  const { env, secret } = settings(t)
  const open = () => {
    const stores = openStores(env['DATABASE_URL'])
    t.teardown(() => { stores.close() })
    return { stores, keys: createKeyRegistry({ store: stores.clientKeys, sealer: createTokenSealer(secret), secrets: [secret], allowList: [] }) }
  }
  return { secret, here: open(), there: open() }
}

test('a revoke by another between the read of a key and the fill of the cache is honoured by the next call', async t => {
  const { secret, here, there } = twoSides(t)
  const { key, keyAccessToken } = await here.keys.issue({ name: 'k' }, author)
  const store = here.stores.clientKeys
  let revoked = false
  const authenticate = createAuthenticator({
    secret,
    lookup: {
      epoch: store.epoch,
      findByDigest: async digest => {
        const found = await store.findByDigest(digest)
        // The row has been read, and nothing is remembered yet.
        if (!revoked) {
          revoked = true
          await there.keys.revoke(key.id, null, author)
        }
        return found
      }
    }
  })
  t.match(await authenticate(keyAccessToken), { ok: true }, 'this call had begun before the revoke')
  t.match(await authenticate(keyAccessToken), { ok: false, reason: 'key_revoked' })
})

test('what another process changes is seen by the next call, and what is no change of a key forgets nothing', async t => {
  const { secret, here, there } = twoSides(t)
  const { key, keyAccessToken } = await here.keys.issue({ name: 'k' }, author)
  const store = here.stores.clientKeys
  let asked = 0
  const authenticate = createAuthenticator({
    secret,
    lookup: {
      epoch: store.epoch,
      findByDigest: digest => {
        asked++
        return store.findByDigest(digest)
      }
    }
  })
  for (const { keys } of [there, here]) {
    t.match(await authenticate(keyAccessToken), { ok: true, token: { key: { enabled: true } } })
    await keys.change(key.id, { enabled: false }, author)
    t.match(await authenticate(keyAccessToken), { ok: false, reason: 'key_disabled' })
    await keys.change(key.id, { enabled: true }, author)
    t.match(await authenticate(keyAccessToken), { ok: true })
  }
  asked = 0
  const token = await store.findByDigest('0'.repeat(64))
  t.equal(token, null)
  for (const { stores } of [there, here]) {
    await stores.clientKeys.recordUses('2026-01-01', [])
    t.match(await authenticate(keyAccessToken), { ok: true })
  }
  t.equal(asked, 0, 'evidence moves no epoch')
})

test('an author who is revoked, or loses a scope, while the change waits for its turn changes nothing', async t => {
  const { here, there } = twoSides(t)
  const cases = [
    ['revoked', 'INVALID_TOKEN', async (id: string) => { await there.keys.revoke(id, null, author) }],
    ['narrowed', 'INSUFFICIENT_SCOPE', async (id: string) => { await there.keys.change(id, { scopes: ['apps:read'] }, author) }],
    ['limited', 'BEYOND_CEILING', async (id: string) => { await there.keys.change(id, { allowedIps: ['192.0.2.1'] }, author) }]
  ] as const
  for (const [name, code, change] of cases) {
    const { key, keyId } = await here.keys.issue({ name }, author)
    const token = await here.stores.clientKeys.findByDigest(digestOf(keyId))
    // Judged before, as a request is that then waits for another process to let the database go.
    const late = { origin: author.origin, token }
    await change(key.id)
    await t.rejects(here.keys.issue({ name: `${name}'s heir` }, late), { code })
    t.equal(await here.keys.resolve(`${name}'s heir`), null)
  }
})
