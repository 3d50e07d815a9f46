import { test } from 'tap'
import type { Test } from 'tap'
import { SAMPLE_PASSWORD, world } from '../helper.ts'
import type { World } from '../helper.ts'
import { signIn } from './user.ts'

const WEATHER = '70e2d94bc6a18f'
const INVOICES = 'ba6811fb3e073d'

interface Change {
  attribute: string
  patch: string
  old_value: unknown
  new_value: unknown
}

interface Entry {
  id: number
  user_id: number | null
  reference_type: string
  reference_name: string
  action: string
  audited_changes: Change[]
  created_at: string
}

interface Page {
  current_page: number
  total_pages: number
  audits: Entry[]
}

const ORGANIZATION = '/organizations/1/audits'

const pageOf = async (call: World['call'], url: string): Promise<Page> => (await call('GET', url)).json as Page

const searchFor = (conditions: unknown, url = ORGANIZATION): string =>
  `${url}?search=${encodeURIComponent(JSON.stringify(conditions))}`

/** Returns the JSON of a change to one field. */
const changed = (attribute: string, from: unknown, to: unknown): Change => ({
  attribute,
  patch: `- ${attribute}: ${String(from)}\n+ ${attribute}: ${String(to)}`,
  old_value: from,
  new_value: to
})

const newestOf = async (call: World['call'], url = ORGANIZATION) => (await pageOf(call, `${url}?per_page=1`)).audits[0]

test("an organization's audits contain changes to it and its apps, but not to its users' accounts", async t => {
  const made = await world(t)
  const [ada, ben] = [await signIn(made, 'ada'), await signIn(made, 'ben')]
  await made.call('PATCH', `/apps/${WEATHER}`, { descriptive_name: 'Of Ada alone' })
  await made.call('PATCH', '/apps/07d4f2b86ca91e', { descriptive_name: 'Of another organization' })
  await made.call('PATCH', '/users/4', { color_theme: 'of an unrelated user' })
  await made.call('PATCH', '/organizations/2', { name: 'Another organization' })
  t.same((await pageOf(ada, ORGANIZATION)).audits, [], 'a sign-in is not shown')

  const newestMatches = async (entry: object, what: string): Promise<void> => {
    t.match(await newestOf(ada), entry, what)
  }
  await ada('PATCH', '/organizations/1', { name: 'Northwind' })
  await newestMatches(
    {
      user_id: 1,
      user_name: 'Ada Moreno',
      user_email: 'ada@example.com',
      reference_id: 1,
      reference_type: 'Organization',
      reference_name: 'Northwind',
      action: 'update',
      audited_changes: [changed('name', 'Northwind Accounting', 'Northwind')],
      created_at: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/
    },
    'the organization'
  )
  await made.call('PATCH', `/apps/${INVOICES}`, { descriptive_name: 'Invoices', panels: null })
  await newestMatches(
    {
      user_id: null,
      user_email: 'Not provided',
      reference_id: 1,
      reference_type: 'App',
      reference_name: 'Invoices',
      audited_changes: [
        changed('descriptive_name', 'Invoice Sync', 'Invoices'),
        { attribute: 'panels', patch: 'panels: changed', old_value: null, new_value: null }
      ]
    },
    'an app, changed by a client key'
  )
  await ben('PUT', '/profile', { color_theme: 'dark' })
  t.equal((await newestOf(made.call))?.reference_type, 'App', 'a client key may read the audits')
})

test('creations and deletions have the same patches as in Trivial', async t => {
  const made = await world(t)
  const ada = await signIn(made, 'ada')
  const tag = { context: 'a', name: 'b' }
  const owner = { owner_type: 'Organization', owner_id: 1 }
  const { json: app } = await ada('POST', '/apps', { descriptive_name: 'Night Shift', ...owner })
  const patches = async () => (await newestOf(ada))?.audited_changes.map(({ patch }) => patch)
  const values = async () =>
    (await newestOf(ada))?.audited_changes.map(({ old_value: from, new_value: to }) => [from, to])
  t.match(await newestOf(ada), { action: 'create', reference_id: app.id })
  t.equal((await patches())?.[0], '[created] descriptive_name: Night Shift')
  t.same((await values())?.[0], [null, 'Night Shift'])

  await ada('POST', `/apps/${app.name}/tags`, tag)
  t.same(await patches(), [`[created] tag: ${JSON.stringify(tag)}`])
  await ada('DELETE', `/apps/${app.name}/tags`, tag)
  t.same(await patches(), [`[destroyed] tag: ${JSON.stringify(tag)}`])
  t.same(await values(), [[tag, null]])

  await ada('POST', `/apps/${app.name}/permission/read/users/4`)
  t.same(await patches(), ['user_id: 4', '- permits: []\n+ permits: ["read"]'])
  t.equal((await newestOf(ada))?.action, 'update')

  await ada('DELETE', `/apps/${app.name}`)
  const [deletion] = (await newestOf(ada))?.audited_changes ?? []
  t.match(deletion, { attribute: 'discarded_at', old_value: null, patch: /^- discarded_at: \n\+ discarded_at: 2/ })
  t.equal(deletion?.new_value, (await newestOf(ada))?.created_at)

  await ada('DELETE', '/organizations/1/users/2')
  t.same(await patches(), ['[destroyed] user_id: 2', '[destroyed] role: member'])
  t.equal((await newestOf(ada))?.action, 'destroy')
})

test('audits contain no passwords, sessions, previous addresses, or addresses of unrelated users', async t => {
  const made = await world(t)
  const ada = await signIn(made, 'ada')
  const ben = await signIn(made, 'ben')
  const chiara = await signIn(made, 'chiara')
  await ben('PUT', '/profile/password', { current_password: SAMPLE_PASSWORD, password: 'another green kettle' })
  await made.call('PATCH', '/users/2', { email: 'moved@example.com' })
  const { text } = await ada('GET', ORGANIZATION)
  for (const secret of [/argon2/, /session_id/, /[0-9a-f]{8}-[0-9a-f]{4}-/, /ben@example/]) {
    t.notMatch(text, secret)
  }
  t.same((await pageOf(ada, ORGANIZATION)).audits, [], "an organization's admins do not see changes to the account")

  await ada('POST', `/apps/${WEATHER}/permission/update/users/3`)
  await chiara('PATCH', `/apps/${WEATHER}`, { schedule: null, descriptive_name: 'Storms' })
  const url = `/apps/${WEATHER}/audits`
  t.match(await newestOf(ada, url), { user_id: 3, user_name: 'Chiara Lund', user_email: 'Not provided' })
  await ada('PATCH', `/apps/${WEATHER}`, { descriptive_name: 'Weather' })
  t.match(await newestOf(ada, url), { user_email: 'ada@example.com', reference_name: 'Weather' })
  await ada('PATCH', `/apps/${INVOICES}`, { descriptive_name: 'Invoices' })
  const ofApp = await pageOf(ada, `/apps/${INVOICES}/audits`)
  t.match(ofApp, { current_page: 1, total_pages: 1, audits: { length: 1 } })
  t.match(ofApp.audits, [{ user_email: 'ada@example.com' }])
})

test('the number of pages is returned, and no entries are missing between pages', async t => {
  const made = await world(t)
  const ada = await signIn(made, 'ada')
  for (let i = 0; i < 7; i++) await ada('PATCH', '/organizations/1', { name: `Name ${i}` })
  const whole = await pageOf(ada, ORGANIZATION)
  t.match(whole, { current_page: 1, total_pages: 1, audits: { length: 7 } })
  const ids: number[] = []
  for (const page of [1, 2, 3, 4]) {
    const found = await pageOf(ada, `${ORGANIZATION}?per_page=3&page=${page}`)
    t.match(found, { current_page: page, total_pages: 3 })
    ids.push(...found.audits.map(({ id }) => id))
  }
  t.same(
    ids,
    whole.audits.map(({ id }) => id)
  )
  const { id } = (await ada('POST', '/organizations', { name: 'New', billing_email: 'n@example.com' })).json
  const beyond = await pageOf(ada, `/organizations/${id}/audits?page=10000`)
  t.same(beyond, { current_page: 10_000, total_pages: 1, audits: [] })
  for (const bad of ['per_page=0', 'per_page=101', 'page=0', 'page=10001', 'page=x', 'limit=1', 'order_by=id']) {
    t.equal((await ada('GET', `${ORGANIZATION}?${bad}`)).status, 422, bad)
  }
})

const withEntries = async (t: Test) => {
  const made = await world(t)
  const ada = await signIn(made, 'ada')
  const ben = await signIn(made, 'ben')
  await made.call('PUT', '/organizations/1/users/2', { role: 'admin' })
  await ada('PATCH', '/organizations/1', { name: 'By Ada first' })
  await made.call('PATCH', '/organizations/1', { name: 'By a key' })
  await ben('PATCH', '/organizations/1', { name: 'By Ben' })
  await ada('PATCH', '/organizations/1', { name: 'By Ada' })
  const { audits } = await pageOf(ada, ORGANIZATION)
  const find = async (conditions: unknown) => (await pageOf(ada, searchFor(conditions))).audits.map(({ id }) => id)
  return { ada, audits, find }
}

test('audits can be searched by id, user and time', async t => {
  const { audits, find } = await withEntries(t)
  const ids = audits.map(({ id }) => id)
  t.equal(ids.length, 5)
  const of = (...users: (number | null)[]) =>
    audits.filter(({ user_id: user }) => users.includes(user)).map(({ id }) => id)
  t.same(await find([]), ids)
  t.same(await find([{ c: 'user_id', o: '=', p: '1' }]), of(1), "a search in the interface's format")
  t.same(await find([{ c: 'user_id', o: '=', p: 1 }]), of(1))
  t.same(await find([{ c: 'user_id', o: '!=', p: '1' }]), of(2), 'changes without a user match no user')
  t.same(await find([{ c: 'user_id', o: 'IN', p: ['1', 2, 3] }]), of(1, 2))
  const [newest = 0, second = 0] = ids
  for (const [o, expected] of [
    ['=', [second]],
    ['<>', ids.filter(id => id !== second)],
    ['<', ids.filter(id => id < second)],
    ['<=', ids.filter(id => id <= second)],
    ['>', [newest]],
    ['>=', [newest, second]]
  ] as const) {
    t.same(await find([{ c: 'id', o, p: second }]), expected, o)
  }
  const time = audits[0]?.created_at ?? ''
  const sinceThen = ids.filter((_, index) => (audits[index]?.created_at ?? '') >= time)
  t.same(await find([{ c: 'created_at', o: '>=', p: time }]), sinceThen)
  t.same(
    await find([
      { c: 'created_at', o: '>=', p: '2026-01-05T00:00:00Z' },
      { c: 'created_at', o: '<', p: time },
      { c: 'user_id', o: '=', p: 2 }
    ]),
    of(2).filter(id => !sinceThen.includes(id))
  )
  t.same(await find([{ c: 'created_at', o: 'IN', p: [time] }]), sinceThen)
})

test('a search accepts only known columns and operators, and no SQL', async t => {
  const { ada, audits } = await withEntries(t)
  const condition = { c: 'user_id', o: '=', p: 1 }
  const rule = 'search.0.p must be an id'
  for (const [conditions, error] of [
    [{}, 'search must be an array'],
    [[1], 'search.0 must be an object'],
    [[{ c: 'id', o: '=' }], 'search.0.p is required'],
    [[{ ...condition, c: 'changes' }], 'search.0.c must be id or user_id or created_at'],
    [[{ ...condition, c: '1=1) --' }], 'search.0.c must be id or user_id or created_at'],
    [[condition, { ...condition, o: 'LIKE' }], 'search.1.o must be = or != or <> or < or <= or > or >= or IN'],
    [[{ ...condition, o: '= 1 or 1' }], 'search.0.o must be = or != or <> or < or <= or > or >= or IN'],
    [[{ ...condition, p: '1 or 1=1' }], rule],
    [[{ ...condition, p: -1 }], rule],
    [[{ ...condition, p: 1.5 }], rule],
    [[{ ...condition, p: '' }], rule],
    [[{ ...condition, p: null }], rule],
    [[{ ...condition, p: [1] }], rule],
    [[{ ...condition, p: '9007199254740993' }], rule],
    [[{ ...condition, p: '01' }], rule],
    [[{ ...condition, o: 'IN' }], 'search.0.p must be an array of 1 to 100 values'],
    [[{ ...condition, o: 'IN', p: [] }], 'search.0.p must be an array of 1 to 100 values'],
    [[{ ...condition, o: 'IN', p: Array(101).fill(1) }], 'search.0.p must be an array of 1 to 100 values'],
    [[{ ...condition, o: 'IN', p: [1, 'x'] }], rule],
    [[{ c: 'created_at', o: '<', p: '2026-12-31T23:59:60Z' }], 'search.0.p must not be a leap second'],
    [[{ c: 'created_at', o: '<', p: 'yesterday' }], 'search.0.p must be a timestamp with a time zone'],
    [[{ c: 'created_at', o: '<', p: 1 }], 'search.0.p must be a timestamp with a time zone'],
    [Array(21).fill(condition), 'search must have at most 20 entries'],
    [[{ ...condition, more: 1 }], 'search.0.more is not a known field; known fields are c, o, p']
  ] as const) {
    const { status, json } = await ada('GET', searchFor(conditions))
    t.match([status, json.errors], [422, [new RegExp(`^${error.replaceAll(/[.*+?()|]/g, '\\$&')}`)]], error)
  }
  for (const text of ['', '[', '[{"c":"id"', 'x'.repeat(4001)]) {
    t.equal((await ada('GET', `${ORGANIZATION}?search=${encodeURIComponent(text)}`)).status, 422)
  }
  t.equal((await pageOf(ada, ORGANIZATION)).audits.length, audits.length)
})
