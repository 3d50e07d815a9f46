import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'tap'
import type { Test } from 'tap'
import { openStorage } from '../../../db/open.ts'
import { createClientKeys, createMemoryStore, InvalidFields } from '../../../exports/client-key-auth.ts'
import type { ClientKeyStore, ClientKeys } from '../../../exports/client-key-auth.ts'
import { openSqliteStore } from '../../../exports/client-key-auth-sqlite.ts'
import { at, newSecret, temporaryFolder } from '../../helper.ts'

const SCOPES = ['reports:read', 'reports:write'] as const

/** Any active key is accepted. */
const ANY = { scopes: [] }

type Reports = ClientKeys<(typeof SCOPES)[number]>

const service = (store: ClientKeyStore = createMemoryStore(), secret = newSecret()): Reports =>
  createClientKeys({ store, secret, scopes: SCOPES })

const stores: Record<string, (t: Test) => ClientKeyStore & { close?: () => void }> = {
  memory: () => createMemoryStore(),
  SQLite: t => {
    const store = openSqliteStore(join(temporaryFolder(t), 'keys.db'))
    t.teardown(() => {
      store.close()
    })
    return store
  }
}

for (const [name, open] of Object.entries(stores)) {
  test(`${name}: a key is active from its issue to its revocation, and each change takes effect immediately`, async t => {
    const keys = service(open(t))
    const { key, keyAccessToken } = await keys.issue({ name: 'ledger', scopes: ['reports:read'] })
    t.match(key, { name: 'ledger', scopes: ['reports:read'], createdBy: { kind: 'cli', name: 'operator' } })
    t.match(await keys.verify(keyAccessToken, ANY), { ok: true, token: { key: { id: key.id } } })
    t.match(await keys.verify('x', ANY), { ok: false, reason: 'malformed' })

    await keys.change(key.id, { enabled: false })
    t.match(await keys.verify(keyAccessToken, ANY), { ok: false, reason: 'key_disabled' })
    await keys.change(key.id, { enabled: true, scopes: ['reports:write', '*', 'reports:read'] })
    t.match(await keys.verify(keyAccessToken, ANY), { ok: true, token: { key: { scopes: ['*'] } } })

    const rotated = await keys.rotate(key.id, { graceSeconds: 0 })
    t.match(await keys.verify(keyAccessToken, ANY), { ok: false, reason: 'token_expired' })
    t.match(await keys.verify(rotated.keyAccessToken, ANY), { ok: true })
    t.equal(rotated.older.length, 1)
    t.equal((await keys.tokens(key.id)).length, 2)
    await keys.rotate(key.id)
    t.match(await keys.verify(rotated.keyAccessToken, ANY), { ok: true }, 'the grace period is a day by default')

    const actor = { kind: 'user', id: '7', name: 'Ada' } as const
    t.match(await keys.revoke(key.id, 'stolen', { actor, address: '10.0.0.1', requestId: 'r1' }), {
      revokedReason: 'stolen'
    })
    t.match(await keys.verify(rotated.keyAccessToken, ANY), { ok: false, reason: 'key_revoked' })
    t.match(await keys.find(key.id), { revokedReason: 'stolen' })
    t.same((await keys.list({ revoked: false })).keys, [])
    t.match(await keys.list(), { keys: [{ id: key.id }], more: false })
    t.match(await keys.usage(key.id), [
      { kind: 'address', label: 'unknown', count: 4 },
      { kind: 'refusal', label: 'key_disabled', count: 1 },
      { kind: 'refusal', label: 'key_revoked', count: 1 },
      { kind: 'refusal', label: 'token_expired', count: 1 }
    ])
    await t.rejects(keys.find('nothing'), { code: 'CLIENT_KEY_NOT_FOUND' })
  })
}

test('the audit trail contains changes with their actors', async t => {
  const store = createMemoryStore()
  const keys = service(store)
  const { key } = await keys.issue({ name: 'ledger' })
  await keys.revoke(key.id, null, { actor: { kind: 'user', id: '7', name: 'Ada' }, address: '10.0.0.1' })
  t.match(await store.read(async ({ audits }) => await audits.newest({}, { limit: 2 })), [
    { action: 'client_key.revoke', actor: { name: 'Ada' }, address: '10.0.0.1', requestId: null },
    { action: 'client_key.issue', actor: { name: 'operator' }, address: null }
  ])
})

test('usage includes the most recent uses', async t => {
  const keys = service()
  const { key, keyAccessToken } = await keys.issue({ name: 'ledger' })
  const demand = { scopes: ['reports:read'], address: '10.0.0.1', userAgent: 'ledger/1' } as const
  t.match(await keys.verify(keyAccessToken, demand), { ok: true })
  t.match(await keys.usage(key.id), [
    { kind: 'address', label: '10.0.0.1', count: 1 },
    { kind: 'scope', label: 'reports:read', count: 1 }
  ])
  t.match(await keys.tokens(key.id), [{ useCount: 1, lastUsedAgent: 'ledger/1' }])
})

test('a failure to store usage emits a warning, or calls a hook', async t => {
  const broken = (): ClientKeyStore => {
    const store = createMemoryStore()
    return {
      ...store,
      write: async (work, options) => {
        if (options?.mayBeLost === true) throw new Error('the disk is full')
        return await store.write(work)
      }
    }
  }
  const failures: unknown[] = []
  const warnings = t.capture(process, 'emitWarning')
  const secret = newSecret()
  const withHook = createClientKeys({
    store: broken(),
    secret,
    scopes: SCOPES,
    cacheSize: 1,
    onUsageFailure: error => {
      failures.push(error)
    }
  })
  for (const keys of [withHook, service(broken())]) {
    await keys.verify((await keys.issue({ name: 'ledger' })).keyAccessToken, ANY)
    await keys.recorder.flush()
  }
  t.match(failures, [{ message: 'the disk is full' }])
  t.match(warnings(), [{ args: [/could not be stored/] }])
})

test('earlier secrets open their tokens', async t => {
  const store = createMemoryStore()
  const [older, newer] = [newSecret(), newSecret()]
  const { keyAccessToken } = await service(store, older).issue({ name: 'ledger' })
  const keys = createClientKeys({ store, secret: newer, previousSecrets: [older], scopes: SCOPES })
  t.match(await keys.verify(keyAccessToken, ANY), { ok: true })
  t.match(await service(store, newer).verify(keyAccessToken, ANY), { ok: false, reason: 'unknown_generation' })
})

for (const [name, open] of Object.entries(stores)) {
  test(`${name}: the second of two services with different secrets and one store cannot create tokens`, async t => {
    const store = open(t)
    const [older, newer] = [newSecret(), newSecret()]
    const first = service(store, older)
    const { key, keyAccessToken } = await first.issue({ name: 'ledger' })
    const second = service(store, newer)
    const message = /^secret: the database is in use with other secrets\. .* previousSecrets\. .* with allowNewSecret; /
    await t.rejects(second.issue({ name: 'other' }), { code: 'SECRET_NOT_SHARED', message })
    await t.rejects(second.rotate(key.id, { graceSeconds: 0 }), { code: 'SECRET_NOT_SHARED' })
    t.match(await first.verify(keyAccessToken, ANY), { ok: true }, 'the token was not revoked')
    t.equal((await first.list()).keys.length, 1)
    t.match(
      await second.change(key.id, { enabled: false }),
      { enabled: false },
      'changes that create no token still work'
    )

    const both = createClientKeys({ store, secret: newer, previousSecrets: [older], scopes: SCOPES })
    t.match(await both.issue({ name: 'replaced' }), { key: { name: 'replaced' } })
    t.match(await second.issue({ name: 'known' }), { key: { name: 'known' } })
    await t.rejects(first.issue({ name: 'dropped' }), { code: 'SECRET_NOT_SHARED' })
    const lost = createClientKeys({ store, secret: older, allowNewSecret: true, scopes: SCOPES })
    t.match(await lost.issue({ name: 'allowed' }), { key: { name: 'allowed' } })
  })
}

// Calls the service as plain JavaScript can, without type checks.
const issue = async (wanted: object) => await service().issue(Object.assign({ name: 'ledger' }, wanted))

test('an unknown scope is refused, and so are values that violate the types', async t => {
  const bad: [wanted: object, issue: RegExp][] = [
    [{ scopes: ['reports:read', 'reports:reed'] }, /^scopes\.1 must be \* or reports:read or reports:write$/],
    [{ scopes: 'reports:read' }, /^scopes must be an array/],
    [{ scopes: [] }, /^scopes must be an array/],
    [{ scopes: [1] }, /^scopes must be an array/],
    [{ name: undefined }, /^name is required$/],
    [{ name: '' }, /^name must be/],
    [{ name: 'x'.repeat(101) }, /^name must be/],
    [{ name: 'env_0123456789abcdef' }, /^name must be/],
    [{ name: `tck_${'a'.repeat(30)}` }, /^name must not contain a token/],
    [{ description: 'a\nb' }, /^description must be/],
    [{ expires_at: new Date() }, /^a field is unknown; the known fields are name, /],
    [{ expiresAt: '2030-01-01' }, /^expiresAt must be a valid Date/],
    [{ expiresAt: new Date(NaN) }, /^expiresAt must be a valid Date/],
    [{ expiresAt: new Date(0) }, /^expires_at must be in the future$/],
    [{ enabled: 'no' }, /^enabled must be/],
    [{ allowedIps: ['10.0.0.1/8'] }, /^allowedIps must be/],
    [{ allowedIps: '10.0.0.0/8' }, /^allowedIps must be/],
    [{ allowedIps: Array.from({ length: 101 }, () => '::1') }, /^allowedIps must be/],
    [{ rateLimit: { max: 5 } }, /^rateLimit must be/],
    [{ rateLimit: { max: 5, windowSeconds: 1, burst: 9 } }, /^rateLimit must be/],
    [{ expiresAt: new Date(Date.UTC(10_000, 0)) }, /^expiresAt must be a valid Date before the year 10000/],
    [{ rateLimit: { max: 0, windowSeconds: 1 } }, /^rateLimit must be/],
    [{ rateLimit: { max: 1, windowSeconds: 86_401 } }, /^rateLimit must be/],
    [{ rateLimit: { max: 1.5, windowSeconds: 1 } }, /^rateLimit must be/],
    [{ rateLimit: { max: '1', windowSeconds: 1 } }, /^rateLimit must be/],
    [{ rateLimit: 5 }, /^rateLimit must be/],
    [{ metadata: '{}' }, /^metadata must be/],
    [{ metadata: [] }, /^metadata must be/],
    [{ metadata: null }, /^metadata must be/],
    [{ metadata: { since: new Date() } }, /^metadata must be/],
    [{ metadata: { part: NaN } }, /^metadata must be/],
    [{ metadata: { many: 1n } }, /^metadata must be/],
    [{ metadata: { x: 'x'.repeat(4096) } }, /^metadata must be/],
    [{ metadata: { x: '\ud800' } }, /^metadata must be/],
    [{ metadata: { '\ud800': 1 } }, /^metadata must be/],
    [{ owner: '' }, /^owner must be/],
    [{ owner: 'x'.repeat(256) }, /^owner must be/],
    [{ owner: 4711 }, /^owner must be/]
  ]
  for (const [wanted, rule] of bad) {
    const failure = await issue(wanted).then(
      () => null,
      (error: unknown) => error
    )
    t.ok(failure instanceof InvalidFields, String(rule))
    t.match(failure, { errors: [rule] })
  }
  const { key } = await issue({
    description: null,
    expiresAt: undefined,
    allowedIps: ['10.0.0.0/8', '::1', '::1'],
    rateLimit: { max: 1, windowSeconds: 1 },
    scopes: ['reports:write', 'reports:write'],
    owner: 'customer:4711',
    metadata: { team: 'finance' }
  })
  t.match(key, { expiresAt: null, allowedIps: ['10.0.0.0/8', '::1'], scopes: ['reports:write'] })
  t.equal(key.scopes.length, 1)
  t.match(key, { owner: 'customer:4711', metadata: { team: 'finance' } })
  t.match((await issue({ rateLimit: null, expiresAt: null })).key, { rateLimit: null, scopes: ['*'] })
})

test('changes, rotations and reasons are also validated', async t => {
  const keys = service()
  const { key } = await keys.issue({ name: 'ledger' })
  const change = async (changes: object) => await keys.change(key.id, Object.assign({ enabled: true }, changes))
  await t.rejects(change({ scopes: ['other'] }), { errors: [/^scopes\.0 must be/] })
  await t.rejects(change({ name: 5 }), { errors: [/^name must be/] })
  for (const graceSeconds of [-1, 0.5, 30 * 86_400 + 1, NaN]) {
    await t.rejects(keys.rotate(key.id, { graceSeconds }), { errors: [/^graceSeconds must be an integer/] })
  }
  for (const reason of ['it is 0123456789abcdef0123456789abcdef', 'x'.repeat(501), 'a\0b', 5, {}, false]) {
    await t.rejects(keys.revoke(key.id, reason as string), { code: 'INVALID_FIELDS' })
  }
  for (const number of [-1, 0, 0.5, NaN, 1001]) {
    await t.rejects(keys.list({}, { limit: number }), { errors: ['limit must be an integer from 1 to 1000'] })
    await t.rejects(keys.usage(key.id, number), { errors: ['days must be an integer from 1 to 90'] })
  }
  t.equal(at((await keys.list()).keys).revokedAt, null)
})

test('a missing or short secret is refused when the service is created', async t => {
  const store = createMemoryStore()
  for (const wrong of [{ secret: undefined as unknown }, { secret: '' }, { secret: 'x'.repeat(31) }]) {
    t.throws(() => createClientKeys(Object.assign({ store, secret: '', scopes: SCOPES }, wrong as object)), {
      message: 'secret must be a string of at least 32 characters'
    })
  }
})

test('an invalid scope is refused when the service is created', async t => {
  for (const scope of ['*', 'none', '', 'a b', 'a"b', 'a\\b', 'é', 'x'.repeat(101)]) {
    t.throws(
      () => createClientKeys({ store: createMemoryStore(), secret: newSecret(), scopes: [scope] }),
      { message: /^a scope must have 1 to 100/ },
      scope
    )
  }
})

test('a store refuses a file with sample data, whose keys are not for other services, and closes it', async t => {
  const path = join(temporaryFolder(t), 'sample.db')
  await (await openStorage(`file:${path}`, { asSample: true })).close()
  t.throws(() => openSqliteStore(path), /^The database is marked as sample data.* Name another file\.$/)
  t.notOk(existsSync(`${path}-wal`), 'the file is closed')
})
