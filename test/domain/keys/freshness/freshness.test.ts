import tap, { test } from 'tap'
import { openStorage } from '../../../../db/open.ts'
import { Database } from '../../../../db/sqlite/driver.ts'
import { createAuthenticator } from '../../../../domain/keys/verdict/authenticator.ts'
import { createKeyService } from '../../../../domain/keys/service.ts'
import { createUsageWriter } from '../../../../domain/keys/usage/writer.ts'
import { digestOf } from '../../../../domain/keys/token/token.ts'
import { need, newSecret, operator, settings } from '../../../helper.ts'
import { postgresDatabase } from '../../../postgres.ts'
import type { Test } from 'tap'

/** Answers the URL of a new database; null: there is no server for it. */
type NewDatabase = (t: Test) => Promise<string | null>

const onSqlite: NewDatabase = async t => settings(t).env.DATABASE_URL

const ENGINES: [string, NewDatabase][] = [
  ['SQLite', onSqlite],
  ...((await postgresDatabase(tap)) === null ? [] : [['PostgreSQL', postgresDatabase] satisfies [string, NewDatabase]])
]

/** The same database twice, as two processes have it. */
const twoSides = async (t: Test, newDatabase = onSqlite) => {
  const url = need((await newDatabase(t)) ?? undefined, 'a database')
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

/** A service with one key, and what another process does at a point of a request: it revokes the key, once. */
const withRevoke = async (t: Test, newDatabase: NewDatabase, point: 'barrier' | 'look-up' | 'fill' | null) => {
  const { secret, here, there } = await twoSides(t, newDatabase)
  const { key, keyAccessToken } = await here.keys.issue({ name: 'k' }, operator)
  const store = here.storage.keyLookup
  let at = point
  const revokeAt = async (reached: typeof point): Promise<void> => {
    if (at !== reached) return
    at = null
    await there.keys.revoke(key.id, null, operator)
  }
  const authenticate = createAuthenticator({
    secret,
    lookup: {
      ...store,
      barrier: async () => {
        await store.barrier()
        await revokeAt('barrier')
      },
      findByDigest: async digest => {
        await revokeAt('look-up')
        const found = await store.findByDigest(digest)
        await revokeAt('fill')
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

// Over leases, a request that came before the receipt of a change may be answered as before.
test('SQLite: a revoke between the receipt of a request and the barrier is obeyed by that request', async t => {
  for (const known of [false, true]) {
    const { authenticate, revoke } = await withRevoke(t, onSqlite, null)
    if (known) t.match(await authenticate(), { ok: true })
    const received = [authenticate(), authenticate()]
    await revoke()
    t.match(await Promise.all(received), [REVOKED, REVOKED], known ? 'from the cache' : 'looked up')
  }
})

for (const [engine, newDatabase] of ENGINES) {
  test(`${engine}: a revoke between the barrier and the look-up is obeyed by the next request, whatever this one is told`, async t => {
    const unknown = await withRevoke(t, newDatabase, 'barrier')
    t.match(await unknown.authenticate(), REVOKED, 'the row is read after the revoke')
    t.match(await unknown.authenticate(), REVOKED)

    const { authenticate } = await withRevoke(t, newDatabase, 'look-up')
    t.match(await authenticate(), REVOKED)
    t.match(await authenticate(), REVOKED)
  })

  test(`${engine}: a revoke between the look-up and the fill of the cache is obeyed by the next request`, async t => {
    const { authenticate } = await withRevoke(t, newDatabase, 'fill')
    t.match(await authenticate(), { ok: true }, 'this request had come before the revoke')
    t.match(await authenticate(), REVOKED)
  })
}

test('what was looked up is stale after every change of a key by anybody, through checkpoints, and after nothing else', async t => {
  const { here, there } = await twoSides(t)
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
    // Changes come in bursts, too: what counts is that they are seen, not how many they are.
    if (i % 7 === 0) await there.keys.change(key.id, { description: `${i} again` }, operator)
    t.notOk(await isFresh(), `change ${i}`)
    last = store.mark()
    if (i % 20 === 0) checkpoint(t, here.path)
    t.ok(await isFresh())
  }
  for (const { storage } of [here, there]) await createUsageWriter(storage)('2026-01-01', [])
  t.ok(await isFresh(), 'their use is no change of keys')
})

test('what another process changes is seen by the next call, and what is no change of a key forgets nothing', async t => {
  const { secret, here, there } = await twoSides(t)
  const { key, keyAccessToken } = await here.keys.issue({ name: 'k' }, operator)
  const store = here.storage.keyLookup
  let asked = 0
  const authenticate = createAuthenticator({
    secret,
    lookup: {
      ...store,
      findByDigest: digest => {
        asked++
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
  asked = 0
  const token = await store.findByDigest('0'.repeat(64))
  t.equal(token, null)
  for (const { storage } of [there, here]) {
    await createUsageWriter(storage)('2026-01-01', [])
    t.match(await authenticate(keyAccessToken), { ok: true })
  }
  t.equal(asked, 0, 'usage moves no revision')
})

for (const [engine, newDatabase] of ENGINES) {
  test(`${engine}: an operator who is revoked, or loses a scope, while the change waits for its turn changes nothing`, async t => {
    const { here, there } = await twoSides(t, newDatabase)
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
      // Judged before, as a request is that then waits for another process to let the database go.
      if (token === null) throw new Error('the token is not there')
      const late = { ...operator, principal: { kind: 'client_key', key: token.key, token, rate: null } } as const
      await change(key.id)
      await t.rejects(here.keys.issue({ name: `${name}'s heir` }, late), { code })
      t.equal(await here.keys.resolve(`${name}'s heir`), null)
    }
  })
}
