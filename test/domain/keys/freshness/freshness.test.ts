import tap, { test } from 'tap'
import { openStorage } from '../../../../db/open.ts'
import { Database } from '../../../../db/sqlite/driver.ts'
import { createAuthenticator } from '../../../../domain/keys/verdict/authenticator.ts'
import { createKeyService } from '../../../../domain/keys/service.ts'
import { createUsageWriter } from '../../../../domain/keys/usage/writer.ts'
import { digestOf } from '../../../../domain/keys/token/token.ts'
import { required, newSecret, operator, settings } from '../../../helper.ts'
import { postgresDatabase } from '../../../postgres.ts'
import type { Test } from 'tap'

/** Returns the URL of a new database, or null if no server is available. */
type NewDatabase = (t: Test) => Promise<string | null>

const onSqlite: NewDatabase = async t => settings(t).env.DATABASE_URL

const ENGINES: [string, NewDatabase][] = [
  ['SQLite', onSqlite],
  ...((await postgresDatabase(tap)) === null ? [] : [['PostgreSQL', postgresDatabase] satisfies [string, NewDatabase]])
]

/** Opens the same database twice, as two processes do. */
const openTwice = async (t: Test, newDatabase = onSqlite) => {
  const url = required((await newDatabase(t)) ?? undefined, 'a database')
  const secret = newSecret()
  const open = async () => {
    const storage = await openStorage(url)
    t.teardown(storage.close)
    return { storage, path: url.slice('file:'.length), keys: createKeyService({ store: storage.keys, secret }) }
  }
  return { secret, here: await open(), there: await open() }
}

const checkpoint = (t: Test, path: string): void => {
  const db = new Database(path)
  t.match(db.pragma('wal_checkpoint(truncate)'), [{ busy: 0 }])
  db.close()
}

/** Creates a service with one key, which another process revokes once, at a certain point during a request. */
const withRevoke = async (t: Test, newDatabase: NewDatabase, point: 'barrier' | 'lookup' | 'cache' | null) => {
  const { secret, here, there } = await openTwice(t, newDatabase)
  const { key, keyAccessToken } = await here.keys.issue({ name: 'k' }, operator)
  const store = here.storage.keyLookup
  let at = point
  const revokeAt = async (reached: typeof point): Promise<void> => {
    if (at !== reached) return
    at = null
    await there.keys.revoke(key.id, null, operator)
  }
  const { authenticate } = createAuthenticator({
    secret,
    lookup: {
      ...store,
      barrier: async () => {
        await store.barrier()
        await revokeAt('barrier')
      },
      findByDigest: async digest => {
        await revokeAt('lookup')
        const found = await store.findByDigest(digest)
        await revokeAt('cache')
        return found
      }
    }
  })
  const revoke = async (): Promise<void> => {
    await there.keys.revoke(key.id, null, operator)
  }
  return { authenticate: async () => await authenticate(keyAccessToken), revoke }
}

const REVOKED = { ok: false, reason: 'key_revoked' }

// With leases, a request that arrived before the receipt was returned may still be accepted.
test("SQLite: a revocation between a request's arrival and the barrier applies to that request", async t => {
  for (const known of [false, true]) {
    const { authenticate, revoke } = await withRevoke(t, onSqlite, null)
    if (known) t.match(await authenticate(), { ok: true })
    const received = [authenticate(), authenticate()]
    await revoke()
    t.match(await Promise.all(received), [REVOKED, REVOKED], known ? 'from the cache' : 'looked up')
  }
})

for (const [engine, newDatabase] of ENGINES) {
  test(`${engine}: a revocation between the barrier and the lookup applies at least to the next request`, async t => {
    const unknown = await withRevoke(t, newDatabase, 'barrier')
    t.match(await unknown.authenticate(), REVOKED, 'the row is read after the revocation')
    t.match(await unknown.authenticate(), REVOKED)

    const { authenticate } = await withRevoke(t, newDatabase, 'lookup')
    t.match(await authenticate(), REVOKED)
    t.match(await authenticate(), REVOKED)
  })

  test(`${engine}: a revocation between the lookup and its caching applies to the next request`, async t => {
    const { authenticate } = await withRevoke(t, newDatabase, 'cache')
    t.match(await authenticate(), { ok: true }, 'this request arrived before the revocation')
    t.match(await authenticate(), REVOKED)
  })
}

test('a lookup becomes stale after each change to a key by any process, despite checkpoints, and after nothing else', async t => {
  const { here, there } = await openTwice(t)
  const store = here.storage.keyLookup
  await store.barrier()
  let last = store.mark()
  const isFresh = async (): Promise<boolean> => {
    await store.barrier()
    return last !== null && store.isFresh(last, 'k')
  }
  t.ok(await isFresh())
  const { key } = await here.keys.issue({ name: 'k' }, operator)
  for (let i = 0; i < 60; i++) {
    const side = i % 3 === 0 ? here : there
    await side.keys.change(key.id, { description: String(i) }, operator)
    // There may be two changes. Only whether changes are detected matters, not how many.
    if (i % 7 === 0) await there.keys.change(key.id, { description: `${i} again` }, operator)
    t.notOk(await isFresh(), `change ${i}`)
    last = store.mark()
    if (i % 20 === 0) checkpoint(t, here.path)
    t.ok(await isFresh())
  }
  for (const { storage } of [here, there]) await createUsageWriter(storage)('2026-01-01', [])
  t.ok(await isFresh(), 'using a key does not count as a change')
})

test('the next call detects changes by another process, and other writes keep the cache', async t => {
  const { secret, here, there } = await openTwice(t)
  const { key, keyAccessToken } = await here.keys.issue({ name: 'k' }, operator)
  const store = here.storage.keyLookup
  let lookUps = 0
  const { authenticate } = createAuthenticator({
    secret,
    lookup: {
      ...store,
      findByDigest: digest => {
        lookUps++
        return store.findByDigest(digest)
      }
    }
  })
  for (const { keys } of [there, here]) {
    t.match(await authenticate(keyAccessToken), { ok: true, token: { key: { enabled: true } } })
    await keys.change(key.id, { enabled: false }, operator)
    t.match(await authenticate(keyAccessToken), { ok: false, reason: 'key_disabled' })
    await keys.change(key.id, { enabled: true }, operator)
    t.match(await authenticate(keyAccessToken), { ok: true })
  }
  lookUps = 0
  const token = await store.findByDigest('0'.repeat(64))
  t.equal(token, null)
  for (const { storage } of [there, here]) {
    await createUsageWriter(storage)('2026-01-01', [])
    t.match(await authenticate(keyAccessToken), { ok: true })
  }
  t.equal(lookUps, 0, 'usage does not increase the revision')
})

for (const [engine, newDatabase] of ENGINES) {
  test(`${engine}: a change is refused if its key is revoked or loses a scope while the change waits`, async t => {
    const { here, there } = await openTwice(t, newDatabase)
    const cases = [
      [
        'revoked',
        'INVALID_TOKEN',
        async (id: string) => {
          await there.keys.revoke(id, null, operator)
        }
      ],
      [
        'narrowed',
        'INSUFFICIENT_SCOPE',
        async (id: string) => {
          await there.keys.change(id, { scopes: ['apps:read'] }, operator)
        }
      ],
      [
        'limited',
        'BEYOND_CEILING',
        async (id: string) => {
          await there.keys.change(id, { allowedIps: ['192.0.2.1'] }, operator)
        }
      ]
    ] as const
    for (const [name, code, change] of cases) {
      const { key, keyId } = await here.keys.issue({ name }, operator)
      const token = await here.storage.keyLookup.findByDigest(digestOf(keyId))
      // The principal was authenticated earlier, as in a request that waits until another process unlocks the database.
      if (token === null) throw new Error('the token was not found')
      const late = { ...operator, principal: { kind: 'client_key', key: token.key, token, rate: null } } as const
      await change(key.id)
      await t.rejects(here.keys.issue({ name: `${name}'s successor` }, late), { code })
      t.equal(await here.keys.resolve(`${name}'s successor`), null)
    }
  })
}
