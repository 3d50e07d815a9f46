import { test } from 'tap'
import { openStorage } from '../../db/open.ts'
import { createAuditService } from '../../domain/audits/service.ts'
import { at, onlyOnSqlite, settings, world } from '../helper.ts'
import type { World } from '../helper.ts'

interface Entry {
  sequence: number
  at: string
  actor: { kind: string; id: string }
  action: string
  subject: { type: string; id: string }
  changes: Record<string, unknown>
  address: string
  request_id: string
}

const audits = async ({ call }: World, query = ''): Promise<Entry[]> => (await call('GET', `/audits${query}`)).json

test('the audit entry of each change to an app contains the key that was used, and the changed values', async t => {
  const made = await world(t)
  const {
    json: { id: keyId }
  } = await made.call('GET', '/client_keys/me')
  const {
    json: { name }
  } = await made.call('POST', '/apps', {
    descriptive_name: 'Night Shift',
    owner_type: 'User',
    owner_id: 1,
    panels: { secret: 'x' }
  })
  await made.call('PATCH', `/apps/${name}`, { descriptive_name: 'Day Shift', panels: { secret: 'y' }, schedule: null })
  await made.call('PATCH', `/apps/${name}`, { schedule: { every: 'hour' } })
  await made.call('PATCH', `/apps/${name}`, {})
  const {
    json: { name: copy }
  } = await made.call('POST', `/apps/${name}/copy`, { new_app_descriptive_name: 'A copy' })
  for (let i = 0; i < 2; i++) await made.call('POST', `/apps/${name}/tags`, { context: 'a', name: 'b' })
  for (let i = 0; i < 2; i++) await made.call('DELETE', `/apps/${name}/tags`, { context: 'a', name: 'b' })
  for (let i = 0; i < 2; i++) await made.call('DELETE', `/apps/${name}`)
  await made.call('POST', '/apps', { descriptive_name: 'Invoice Sync', owner_type: 'Organization', owner_id: 1 })

  const entries = (await audits(made)).reverse().slice(1)
  t.match(
    entries.map(({ action, subject, changes }) => [action, subject, changes]),
    [
      [
        'app.create',
        { type: 'app', id: name },
        { descriptive_name: { to: 'Night Shift' }, owner_type: { to: 'User' }, owner_id: { to: 1 }, port: { to: 3025 } }
      ],
      [
        'app.update',
        { id: name },
        { descriptive_name: { from: 'Night Shift', to: 'Day Shift' }, panels: { changed: true } }
      ],
      ['app.update', { id: name }, { schedule: { changed: true } }],
      ['app.copy', { id: copy }, { descriptive_name: { to: 'A copy' }, copied_from: { to: name } }],
      ['app.add_tag', { id: name }, { tag: { to: { context: 'a', name: 'b' } } }],
      ['app.remove_tag', { id: name }, { tag: { from: { context: 'a', name: 'b' }, to: null } }],
      ['app.delete', { id: name }, {}]
    ]
  )
  t.equal(entries.length, 7, 'refused changes have no entries')
  for (const { actor, address, request_id: requestId } of entries) {
    t.match(actor, { kind: 'client_key', id: keyId })
    t.equal(address, '127.0.0.1')
    t.match(requestId, /-/)
  }
  t.equal(new Set(entries.map(({ request_id: id }) => id)).size, 7)
})

test('every change to a key has an audit entry without secrets', async t => {
  const made = await world(t)
  const {
    json: { id, key_id: keyId, key_access_token: token }
  } = await made.call('POST', '/client_keys', { name: 'k' }, { 'idempotency-key': 'a' })
  const again = (await made.call('POST', '/client_keys', { name: 'k' }, { 'idempotency-key': 'a' })).json
    .key_access_token
  await made.call('PATCH', `/client_keys/${id}`, { enabled: false, scopes: ['apps:read'] })
  const rotated = (await made.call('POST', `/client_keys/${id}/rotate`, { grace_seconds: 0 })).json
  await made.call('POST', `/client_keys/${id}/revoke`, { reason: 'enough' })
  const { text } = await made.call('GET', `/audits?subject_type=client_key&subject_id=${id}`)
  const entries = JSON.parse(text) as Entry[]
  t.match(
    entries.reverse().map(({ action, changes }) => [action, changes]),
    [
      ['client_key.issue', { name: { to: 'k' }, scopes: { to: ['*'] }, hint: { to: token.slice(-4) } }],
      ['client_key.replace_token', { hint: { to: again.slice(-4) } }],
      ['client_key.change', { enabled: { from: true, to: false }, scopes: { from: ['*'], to: ['apps:read'] } }],
      ['client_key.rotate', { hint: { to: rotated.key_access_token.slice(-4) }, older_tokens_expire_at: { to: /Z$/ } }],
      ['client_key.revoke', { revoked_reason: { to: 'enough' } }]
    ]
  )
  for (const secret of [keyId, token, again, rotated.key_id, rotated.key_access_token]) t.notMatch(text, secret)
})

test('the audit trail can be paged and filtered, and is returned newest first, as JSON or NDJSON', async t => {
  const made = await world(t)
  const own = (await made.call('GET', '/client_keys/me')).json.id
  const other = (await made.call('POST', '/client_keys', { name: 'other' })).json
  for (let i = 0; i < 4; i++) {
    await made.call(
      'POST',
      '/apps/ba6811fb3e073d/tags',
      { context: 'a', name: `b${i}` },
      { authorization: `Bearer ${other.key_access_token}` }
    )
  }

  const pages: number[][] = []
  for (let url: string | undefined = '/audits?limit=4&actor_kind=client_key'; url !== undefined;) {
    const { json, headers } = await made.call('GET', url)
    pages.push(json.map(({ sequence }: Entry) => sequence))
    url = /^<(.*)>; rel="next"$/.exec(String(headers['link'] ?? ''))?.[1]
  }
  t.same(pages, [[6, 5, 4, 3], [2]])
  const sequences = async (query: string): Promise<number[]> =>
    (await audits(made, `?${query}`)).map(({ sequence }) => sequence)
  t.same(await sequences('actor_kind=cli'), [1])
  t.same(await sequences(`actor_id=${own}`), [2])
  t.same(await sequences(`actor_id=${other.id}`), [6, 5, 4, 3])
  t.same(await sequences('subject_type=app&subject_id=ba6811fb3e073d&limit=1'), [6])
  t.same(await sequences('action=client_key.issue'), [2])
  t.same(await sequences('action=nope'), [])
  const { at: time } = at(await audits(made, '?after=4'))
  t.ok((await sequences(`since=${time}`)).includes(3))
  t.notOk((await sequences(`until=${time}`)).includes(3))
  t.same(await sequences('since=2099-01-01T00:00:00Z'), [])
  t.same(await sequences('since=1d'), [6, 5, 4, 3, 2, 1])
  t.same(await sequences('since=2099-01-01'), [])
  t.same(await sequences('until=1d'), [])
  const lines = await made.call('GET', '/audits?limit=2', undefined, { accept: 'application/x-ndjson' })
  t.match(lines.headers['content-type'], 'application/x-ndjson')
  t.same(
    lines.text
      .trimEnd()
      .split('\n')
      .map(line => (JSON.parse(line) as Entry).sequence),
    [6, 5]
  )
  t.equal((await made.call('GET', '/audits?action=nope', undefined, { accept: 'application/x-ndjson' })).text, '')
  for (const bad of ['limit=0', 'after=x', 'since=yesterday', 'who=me']) {
    t.equal((await made.call('GET', `/audits?${bad}`)).status, 422, bad)
  }
  t.match(await made.fastify.audits.verify(), { whole: true, head: { sequence: 6 } })
})

test('an audit trail without entries is an empty list', onlyOnSqlite, async t => {
  const { env } = settings(t)
  const storage = await openStorage(env['DATABASE_URL'])
  t.teardown(storage.close)
  t.same(await createAuditService(storage).page({}, { limit: 10 }), { audits: [], more: false })
})
