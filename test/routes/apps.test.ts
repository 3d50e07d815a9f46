import { test } from 'tap'
import { createServer } from '../../app.ts'
import { Database } from '../../db/sqlite/driver.ts'
import { at, listening, onlyOnSqlite, raw, settings, world } from '../helper.ts'

const NEW = { descriptive_name: 'Night Shift', owner_type: 'User', owner_id: 1 }
const FIELDS = [
  'id',
  'user_id',
  'name',
  'descriptive_name',
  'hostname',
  'domain',
  'load_balancer',
  'port',
  'panels',
  'readable_by',
  'schedule',
  'owner_type',
  'owner_id',
  'tags',
  'created_at',
  'updated_at',
  'discarded_at'
]

test('an app has the same fields as in Trivial, in the same order', async t => {
  const { call } = await world(t, { BASE_URL: 'https://apps.example.com:8443/x', DEFAULT_LOAD_BALANCER: 'lb-"7"' })
  const { status, json } = await call('GET', '/apps/ba6811fb3e073d')
  t.equal(status, 200)
  t.strictSame(Object.keys(json), FIELDS)
  t.strictSame(json, {
    id: 1,
    user_id: null,
    name: 'ba6811fb3e073d',
    descriptive_name: 'Invoice Sync',
    hostname: 'ba6811fb3e073d',
    domain: 'apps.example.com:8443',
    load_balancer: 'lb-"7"',
    port: 3001,
    panels: { component: 'Dashboard', options: { apps: [], date_range: 'Last Week', timezone: 'UTC' } },
    readable_by: null,
    schedule: { every: 'hour', minute: 0 },
    owner_type: 'Organization',
    owner_id: 1,
    tags: [
      { id: 1, context: 'department', name: 'finance' },
      { id: 2, context: 'stage', name: 'production' }
    ],
    created_at: '2026-01-05T09:01:00.000Z',
    updated_at: '2026-01-05T09:01:00.000Z',
    discarded_at: null
  })
  t.match((await call('GET', '/apps/b53f8a16d7e0c9')).json, {
    user_id: 1,
    owner_type: 'User',
    owner_id: 1,
    schedule: null
  })
})

test('the list is sorted by descriptive name', async t => {
  const { call } = await world(t)
  const names = (await call('GET', '/apps')).json.map((app: { descriptive_name: string }) => app.descriptive_name)
  t.strictSame(names, [...names].sort())
  t.equal(names.length, 24)
})

test('a client key creates an app for the owner specified in the request', async t => {
  const { call } = await world(t)
  const panels = { text: 'ü\u0001"\\ud800', deep: [{ a: 1 }], __: null }
  const { status, headers, json } = await call('POST', '/apps', {
    ...NEW,
    panels,
    schedule: { cron: '0 3 * * *' }
  })
  t.equal(status, 201)
  t.match(json.name, /^[0-9a-f]{14}$/)
  t.equal(headers['location'], `/apps/${json.name}`)
  t.match(json, {
    id: 25,
    port: 3025,
    user_id: 1,
    panels,
    schedule: { cron: '0 3 * * *' },
    readable_by: null,
    tags: [],
    discarded_at: null
  })
  t.match(json.created_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
  t.same((await call('GET', `/apps/${json.name}`)).json, json)
  const other = await call('POST', '/apps', { ...NEW, owner_type: 'Organization', owner_id: 2 })
  t.match(other.json, { user_id: null, owner_type: 'Organization', owner_id: 2, panels: null, schedule: null })
})

test('an unknown field is rejected and named, for users and client keys', async t => {
  const made = await world(t)
  const known = 'known fields are descriptive_name, panels, schedule, owner_type, owner_id'
  t.match(await made.call('POST', '/apps', { ...NEW, port: 1, readable_by: 'public' }), {
    status: 422,
    json: {
      detail: `port is not a known field; ${known}`,
      errors: [`port is not a known field; ${known}`, `readable_by is not a known field; ${known}`]
    }
  })
  for (const method of ['PUT', 'PATCH']) {
    t.match(await made.call(method, '/apps/ba6811fb3e073d', { descriptive_name: 'Changed', discarded_at: 'now' }), {
      status: 422,
      json: { errors: ['discarded_at is not a known field; known fields are descriptive_name, panels, schedule'] }
    })
  }
  for (const method of ['POST', 'DELETE']) {
    t.match(await made.call(method, '/apps/ba6811fb3e073d/tags', { context: 'stage', name: 'production', app_id: 2 }), {
      status: 422,
      json: { errors: ['app_id is not a known field; known fields are context, name'] }
    })
  }
  t.match((await made.call('GET', '/apps/ba6811fb3e073d')).json, {
    descriptive_name: 'Invoice Sync',
    tags: [{ context: 'department' }, { context: 'stage' }]
  })
})

test('errors in a new app are reported for each field', async t => {
  const { call } = await world(t)
  const wrong: [body: unknown, errors: string[]][] = [
    [{}, ['descriptive_name is required', 'owner_type is required', 'owner_id is required']],
    [{ descriptive_name: 'Night Shift' }, ['owner_type is required', 'owner_id is required']],
    [{ ...NEW, descriptive_name: 'ab' }, ['descriptive_name must have at least 3 characters']],
    [{ ...NEW, descriptive_name: 'x'.repeat(256) }, ['descriptive_name must have at most 255 characters']],
    [
      { ...NEW, descriptive_name: 'a\u0001b' },
      ['descriptive_name must be well-formed text with at least one visible character and no control characters']
    ],
    [
      { ...NEW, descriptive_name: 'abc\ud800' },
      ['descriptive_name must not contain an unpaired surrogate, from \\ud800 to \\udfff']
    ],
    [
      { ...NEW, panels: { a: [{ '\udfff': 1 }] }, schedule: { a: 'x\ud83dx' } },
      [
        'panels must not contain an unpaired surrogate, from \\ud800 to \\udfff',
        'schedule must not contain an unpaired surrogate, from \\ud800 to \\udfff'
      ]
    ],
    [
      { ...NEW, descriptive_name: ' \u200b\u00a0 ' },
      ['descriptive_name must be well-formed text with at least one visible character and no control characters']
    ],
    [{ ...NEW, descriptive_name: 'a\u0000b' }, ['descriptive_name must not contain the character U+0000']],
    [
      { ...NEW, panels: { a: ['\u0000'] }, schedule: { '\u0000': 1 } },
      ['panels must not contain the character U+0000', 'schedule must not contain the character U+0000']
    ],
    [{ ...NEW, descriptive_name: 123 }, ['descriptive_name must be a string']],
    [{ ...NEW, descriptive_name: null }, ['descriptive_name must be a string']],
    [{ ...NEW, panels: [], schedule: 'x' }, ['panels must be an object or null', 'schedule must be an object or null']],
    [{ ...NEW, owner_type: 'user' }, ['owner_type must be User or Organization']],
    [{ ...NEW, owner_id: '1' }, ['owner_id must be an integer']],
    [{ ...NEW, owner_id: 0 }, ['owner_id must be at least 1']],
    [{ ...NEW, owner_id: 1e300 }, ['owner_id must be at most 9007199254740991']],
    [{ ...NEW, owner_id: 1.5 }, ['owner_id must be an integer']],
    [[], ['the body must be an object']],
    [
      JSON.parse(`${'{"panels":'.repeat(1)}${'{"a":'.repeat(101)}1${'}'.repeat(102)}`),
      ['panels must not be nested more than 100 levels deep', 'owner_type is required', 'owner_id is required']
    ]
  ]
  for (const [body, errors] of wrong) {
    const { status, headers, json } = await call('POST', '/apps', JSON.stringify(body), {
      'content-type': 'application/json'
    })
    t.equal(status, 422, JSON.stringify(errors))
    t.equal(headers['content-type'], 'application/problem+json; charset=utf-8')
    t.match(json, { code: 'INVALID_FIELDS', status: 422, errors })
  }
  t.match((await call('POST', '/apps')).json, { errors: ['the body must be an object'] })
  t.equal((await call('GET', '/apps')).json.length, 24, 'nothing was stored')
})

test('panels and schedules may be nested at most a hundred levels deep', async t => {
  const { call } = await world(t)
  const nested = (depth: number) => `{"a":${'['.repeat(depth - 1)}${']'.repeat(depth - 1)}}`
  const post = (depth: number) =>
    call(
      'POST',
      '/apps',
      `{"descriptive_name":"Deep ${depth}","owner_type":"User","owner_id":1,"panels":${nested(depth)},"schedule":${nested(depth)}}`,
      { 'content-type': 'application/json' }
    )
  t.equal((await post(100)).status, 201)
  const tooLarge = [
    'panels must not contain numbers beyond the range of a double',
    'schedule must not contain numbers beyond the range of a double'
  ]
  t.match(
    await call(
      'POST',
      '/apps',
      '{"descriptive_name":"Huge","owner_type":"User","owner_id":1,"panels":{"a":[1e999]},"schedule":{"b":{"c":-1e999}}}',
      { 'content-type': 'application/json' }
    ),
    { status: 422, json: { errors: tooLarge } }
  )
  const tooDeep = [
    'panels must not be nested more than 100 levels deep',
    'schedule must not be nested more than 100 levels deep'
  ]
  t.match(await post(101), { status: 422, json: { errors: tooDeep } })
  t.match(await post(200_000), { status: 422, json: { errors: tooDeep } })
})

test(
  'a new app gets a port up to 65535, then the port of a deleted app, and is refused if none is left',
  onlyOnSqlite,
  async t => {
    const { call, env } = await world(t)
    const db = new Database(env['DATABASE_URL'].slice('file:'.length))
    db.exec('update apps set port = 65535 where id = 24; update app_port_counter set last = 65535')
    const create = async (descriptiveName: string) =>
      await call('POST', '/apps', { ...NEW, descriptive_name: descriptiveName })
    t.match(await create('The lowest'), { status: 201, json: { port: 3024 } })
    t.match(await create('The next'), { status: 201, json: { port: 3025 } })
    const { json: first } = await call('GET', '/apps/ba6811fb3e073d')
    t.equal(first.port, 3001)
    t.equal((await call('DELETE', '/apps/ba6811fb3e073d')).status, 204)
    t.match(await create('A port again'), { status: 201, json: { port: 3001 } })

    db.exec(`
    with recursive ports(port) as (select 3001 union all select port + 1 from ports where port < 65535)
    insert into apps (name, descriptive_name, port, user_id, created_at, updated_at)
    select printf('%014x', port), printf('Filler %d', port), port, 1, '', ''
    from ports where port not in (select port from apps where discarded_at is null)`)
    db.close()
    for (const refused of [
      await create('One too many'),
      await call('POST', '/apps/70e2d94bc6a18f/copy', { new_app_descriptive_name: 'One too many' })
    ]) {
      t.match(refused, {
        status: 409,
        json: { code: 'NO_PORT_LEFT', detail: /^All ports from 3001 to 65535 are in use/ }
      })
    }
  }
)

test('an owner must exist', async t => {
  const { call } = await world(t)
  for (const owner of [
    { owner_type: 'User', owner_id: 5 },
    { owner_type: 'Organization', owner_id: 4 }
  ]) {
    t.match(await call('POST', '/apps', { ...NEW, ...owner }), { status: 422, json: { code: 'OWNER_NOT_FOUND' } })
  }
})

test('a descriptive name is unique and case-sensitive among the active apps of an owner', async t => {
  const { call } = await world(t)
  const {
    json: { name }
  } = await call('POST', '/apps', NEW)
  const conflict = { status: 409, json: { code: 'DESCRIPTIVE_NAME_TAKEN', status: 409 } }
  t.match(await call('POST', '/apps', NEW), conflict)
  t.equal((await call('POST', '/apps', { ...NEW, descriptive_name: 'night shift' })).status, 201)
  t.equal((await call('POST', '/apps', { ...NEW, owner_id: 2 })).status, 201)
  t.equal((await call('POST', '/apps', { ...NEW, owner_type: 'Organization' })).status, 201)
  t.match(await call('POST', '/apps', { ...NEW, owner_type: 'Organization' }), conflict)
  t.match(await call('PATCH', `/apps/${name}`, { descriptive_name: 'night shift' }), conflict)
  t.match(await call('POST', `/apps/${name}/copy`, { new_app_descriptive_name: 'Night Shift' }), conflict)
  t.equal((await call('DELETE', `/apps/${name}`)).status, 204)
  t.equal((await call('POST', '/apps', NEW)).status, 201, 'the name is available again')
})

test('PUT and PATCH change only the fields that are sent, and null clears a field', async t => {
  const { call } = await world(t)
  const url = '/apps/ba6811fb3e073d'
  for (const method of ['PUT', 'PATCH']) {
    const before = (await call('GET', url)).json
    const changed = await call(method, url, { descriptive_name: `By ${method}` })
    t.equal(changed.status, 200)
    t.same(changed.json, { ...before, descriptive_name: `By ${method}`, updated_at: changed.json.updated_at })
    t.ok(changed.json.updated_at > before.updated_at)
    t.match((await call(method, url, { panels: { a: 1 }, schedule: { b: 2 } })).json, {
      panels: { a: 1 },
      schedule: { b: 2 },
      descriptive_name: `By ${method}`
    })
    t.match((await call(method, url, { panels: null })).json, { panels: null, schedule: { b: 2 } })
    t.match((await call(method, url, { schedule: null })).json, { panels: null, schedule: null })
    const now = (await call('GET', url)).json
    t.same((await call(method, url, {})).json, now, 'an empty body changes nothing')
    t.match(await call(method, url, { descriptive_name: 'x', panels: 1 }), {
      status: 422,
      json: { errors: ['descriptive_name must have at least 3 characters', 'panels must be an object or null'] }
    })
    t.equal((await call(method, url)).status, 422)
    t.same((await call('GET', url)).json, now)
  }
})

test('a request for a missing or deleted app, or for an unusual name, gets 404 on every route', async t => {
  const { call } = await world(t)
  t.equal((await call('DELETE', '/apps/ba6811fb3e073d')).status, 204)
  const names = [
    'ba6811fb3e073d',
    '00000000000000',
    '1',
    'null',
    '%F0%9F%92%A5',
    '..%2F..',
    "'%20or%201=1--",
    'x'.repeat(100)
  ]
  for (const name of names) {
    const replies = [
      await call('GET', `/apps/${name}`),
      await call('PUT', `/apps/${name}`, { panels: null }),
      await call('PATCH', `/apps/${name}`, {}),
      await call('DELETE', `/apps/${name}`),
      await call('POST', `/apps/${name}/copy`, { new_app_descriptive_name: 'A copy' }),
      await call('POST', `/apps/${name}/tags`, { context: 'a', name: 'b' }),
      await call('DELETE', `/apps/${name}/tags`, { context: 'a', name: 'b' })
    ]
    for (const { status, json } of replies) {
      t.equal(status, 404, name)
      t.match(json.code, /^(APP|TAG)_NOT_FOUND$/)
    }
  }
  t.match(await call('GET', `/apps/${'x'.repeat(101)}`), { status: 404, json: { code: 'ROUTE_NOT_FOUND' } })
})

test('a deleted app is listed only if deleted apps are included', async t => {
  const { call } = await world(t)
  t.match(await call('DELETE', '/apps/ba6811fb3e073d'), { status: 204, text: '' })
  const names = async (query = '') => (await call('GET', `/apps${query}`)).json.map((app: { name: string }) => app.name)
  t.notOk((await names()).includes('ba6811fb3e073d'))
  t.notOk((await names('?include_deleted=false')).includes('ba6811fb3e073d'))
  t.ok((await names('?include_deleted=true')).includes('ba6811fb3e073d'))
  const [deleted] = (await call('GET', '/apps?include_deleted=true')).json.filter(
    (app: { name: string }) => app.name === 'ba6811fb3e073d'
  )
  t.match(deleted.discarded_at, /Z$/)
  for (const bad of ['', 'yes', '2', 'True']) {
    t.match(
      await call('GET', `/apps?include_deleted=${bad}`),
      { status: 422, json: { errors: ['include_deleted must be a boolean'] } },
      bad
    )
  }
  t.match(await call('GET', '/apps?include_deleted=true&include_deleted=true'), { status: 422 })
})

test('a copy has the panels, schedule, owner and tags of the original, but a new name', async t => {
  const { call } = await world(t)
  const { json: original } = await call('GET', '/apps/ba6811fb3e073d')
  const {
    status,
    headers,
    json: copy
  } = await call('POST', '/apps/ba6811fb3e073d/copy', { new_app_descriptive_name: 'Invoice Sync 2' })
  t.equal(status, 201)
  t.equal(headers['location'], `/apps/${copy.name}`)
  t.not(copy.name, original.name)
  for (const field of ['panels', 'schedule', 'owner_type', 'owner_id', 'user_id'] as const) {
    t.same(copy[field], original[field])
  }
  const labels = (app: typeof original) =>
    app.tags.map(({ context, name }: { context: string; name: string }) => [context, name])
  t.same(labels(copy), labels(original))
  t.not(copy.tags[0].id, original.tags[0].id)
  t.match(copy, { descriptive_name: 'Invoice Sync 2', port: 3025, discarded_at: null })
  t.match(await call('POST', '/apps/ba6811fb3e073d/copy', {}), {
    status: 422,
    json: { errors: ['new_app_descriptive_name is required'] }
  })
  t.equal(
    (await call('POST', '/apps/52f8e7b3c9a06d/copy', { new_app_descriptive_name: 'Without tags' })).json.tags.length,
    0
  )
})

test('a tag can be added once and removed once', async t => {
  const { call } = await world(t)
  const url = '/apps/52f8e7b3c9a06d/tags'
  const tag = { context: 'Größe', name: "x' or 1=1 --" }
  const added = await call('POST', url, tag)
  t.equal(added.status, 201)
  t.match(added.json, { id: Number, ...tag })
  t.strictSame(Object.keys(added.json), ['id', 'context', 'name'])
  const again = await call('POST', url, tag)
  t.equal(again.status, 200)
  t.same(again.json, added.json)
  t.same((await call('GET', '/apps/52f8e7b3c9a06d')).json.tags, [added.json])
  t.equal((await call('DELETE', url, tag)).status, 204)
  t.match(await call('DELETE', url, tag), { status: 404, json: { code: 'TAG_NOT_FOUND' } })
  t.same((await call('GET', '/apps/52f8e7b3c9a06d')).json.tags, [])
  for (const method of ['POST', 'DELETE']) {
    t.match(await call(method, url, { context: '', name: '' }), {
      status: 422,
      json: { errors: [/^context must/, /^context must/, /^name must/, /^name must/] }
    })
    t.match(await call(method, url, { context: null }), {
      status: 422,
      json: { errors: ['name is required', 'context must be a string'] }
    })
    t.equal((await call(method, url)).status, 422)
  }
})

test('a list that is filtered by several tags contains the apps that have all of them', async t => {
  const { call } = await world(t)
  const filter = async (tags: unknown) =>
    (await call('GET', `/apps?tagged_with=${encodeURIComponent(JSON.stringify(tags))}`)).json.map(
      (app: { descriptive_name: string }) => app.descriptive_name
    )
  t.same(await filter([{ department: 'finance' }]), ['Expense Review', 'Invoice Sync', 'Payroll Export'])
  t.same(await filter([{ department: 'finance' }, { stage: 'production' }]), ['Invoice Sync', 'Payroll Export'])
  t.same(await filter([{ department: 'finance', stage: 'staging' }]), ['Expense Review'])
  t.same(await filter([{ department: 'Finance' }]), [])
  t.same(await filter([{ department: "finance' or '1'='1" }]), [])
  t.equal((await filter([])).length, 24)
  t.equal((await filter([{}])).length, 24)
  const tooMany = Object.fromEntries(Array.from({ length: 21 }, (_, i) => [String(i), 'x']))
  for (const bad of [
    '{',
    'x',
    '{}',
    '"a"',
    'null',
    '[1]',
    '[null]',
    '[["a"]]',
    '[{"a":1}]',
    '[{"a":null}]',
    '[{"a":"\\u0000"}]',
    '[{"\\u0000":"a"}]',
    JSON.stringify([tooMany]),
    ''
  ]) {
    t.match(
      await call('GET', `/apps?tagged_with=${encodeURIComponent(bad)}`),
      { status: 422, json: { code: 'INVALID_FIELDS', errors: [/^tagged_with must be a JSON array/] } },
      bad
    )
  }
})

test('following the Link headers returns the whole list', async t => {
  const { call } = await world(t)
  await call('DELETE', '/apps/ba6811fb3e073d')
  for (const [limit, query] of [
    [1, ''],
    [7, ''],
    [23, ''],
    [24, ''],
    [1000, ''],
    [5, '&include_deleted=true'],
    [2, `&tagged_with=${encodeURIComponent('[{"topic":"home"}]')}`]
  ] as const) {
    const whole = (await call('GET', `/apps?${query.slice(1)}`)).json
    const seen = []
    let pages = 0
    for (let url = `/apps?limit=${limit}${query}`; ; pages++) {
      const { status, json, headers } = await call('GET', url)
      t.equal(status, 200)
      t.ok(json.length <= limit)
      seen.push(...json)
      const next = /^<(\/apps\?[^>]+)>; rel="next"$/.exec(String(headers['link'] ?? ''))
      if (next === null) break
      t.equal(json.length, limit, 'every page except the last is full')
      url = at(next, 1)
    }
    t.same(seen, whole, `${limit} ${query}`)
    t.equal(pages, Math.ceil(whole.length / limit) - 1)
  }
  const { headers } = await call('GET', '/apps?limit=2')
  const after = new URL(at(String(headers['link']).slice(1).split('>')), 'http://x').searchParams.get('after')
  t.equal((await call('GET', `/apps?after=${after}`)).json.length, 21, 'without a limit, the page contains the rest')
})

test('an invalid limit or position is reported', async t => {
  const { call } = await world(t)
  for (const [limit, error] of [
    ['0', 'limit must be at least 1'],
    ['1001', 'limit must be at most 1000'],
    ['x', 'limit must be a decimal integer, such as 20'],
    ['', 'limit must be a decimal integer, such as 20'],
    ['1.5', 'limit must be a decimal integer, such as 20'],
    ['1e1000', /limit must be/]
  ] as const) {
    t.match(await call('GET', `/apps?limit=${limit}`), { status: 422, json: { errors: [error] } }, limit)
  }
  const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const good = encode(['Invoice Sync', 1])
  t.equal((await call('GET', `/apps?after=${good}`)).status, 200)
  for (const after of [
    '',
    'x',
    good + '=',
    good.slice(0, -1),
    encode('x'),
    encode(['a']),
    encode(['a', 'b']),
    encode([1, 1]),
    encode(['a', 1.5]),
    encode(['a', 1, 2]),
    encode(['a', 1e300]),
    encode({}),
    encode(null),
    encode(['a\u0000', 1]),
    "'"
  ]) {
    t.match(
      await call('GET', `/apps?limit=3&after=${after}`),
      { status: 422, json: { errors: ['after must be copied from the Link header of the previous page'] } },
      after
    )
  }
})

test('NDJSON contains one app per line', async t => {
  const { call } = await world(t)
  const list = (await call('GET', '/apps')).json
  for (const accept of [
    'application/x-ndjson',
    'text/html, application/x-ndjson',
    'application/json;q=0.5, application/x-ndjson'
  ]) {
    const { headers, text } = await call('GET', '/apps', undefined, { accept })
    t.equal(headers['content-type'], 'application/x-ndjson; charset=utf-8', accept)
    t.equal(headers['vary'], 'accept')
    t.ok(text.endsWith('}\n'))
    t.same(
      text
        .trimEnd()
        .split('\n')
        .map(line => JSON.parse(line)),
      list
    )
  }
  for (const accept of ['*/*', 'application/json', 'text/html', '', 'application/*']) {
    const { headers, json } = await call('GET', '/apps', undefined, { accept })
    t.equal(headers['content-type'], 'application/json; charset=utf-8', accept)
    t.same(json, list)
  }
  t.equal(
    (await call('GET', '/apps?limit=2', undefined, { accept: 'application/x-ndjson' })).text.split('\n').length,
    3
  )
})

test('an empty list is an empty array in JSON, and no lines in NDJSON', onlyOnSqlite, async t => {
  const { env, key } = settings(t)
  const fastify = await createServer(env)
  t.teardown(() => fastify.close())
  const get = (accept: string) =>
    fastify.inject({ url: '/apps', headers: { accept, authorization: `Bearer ${key.keyAccessToken}` } })
  t.equal((await get('application/json')).payload, '[]')
  t.equal((await get('application/x-ndjson')).payload, '')
})

test('HEAD returns the same response as GET, without a body', async t => {
  const { call, fastify, key } = await world(t)
  const { status, headers, text } = await call('HEAD', '/apps?limit=2')
  t.equal(status, 200)
  t.equal(text, '')
  t.match(headers, { 'content-type': 'application/json; charset=utf-8', link: /rel="next"/ })
  t.equal((await call('HEAD', '/apps/ba6811fb3e073d')).status, 200)
  t.equal((await call('HEAD', '/apps/00000000000000')).status, 404)
  const port = await listening(fastify)
  t.match(
    await raw(
      port,
      `HEAD /apps HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer ${key.keyAccessToken}\r\n\r\n`
    ),
    /^HTTP\/1\.1 200 OK\r\n.*\r\n\r\n$/s
  )
})

test('name_suggestion returns an available name', async t => {
  const { call } = await world(t)
  const suggestions = new Set<string>()
  for (let i = 0; i < 20; i++) suggestions.add((await call('GET', '/apps/name_suggestion')).json.suggestion)
  for (const suggestion of suggestions) t.match(suggestion, /^[A-Z][a-z]+ [A-Z][a-z]+$/)
  t.ok(suggestions.size > 5)
})

test('no string in an app may contain a token or a key_id', async t => {
  const { call, key } = await world(t)
  const app = '/apps/ba6811fb3e073d'
  for (const credential of [key.keyAccessToken, key.keyAccessToken.slice(0, -6), key.keyId, `x ${key.keyId}.`]) {
    for (const [method, url, body] of [
      ['POST', '/apps', { descriptive_name: credential, owner_type: 'User', owner_id: 1 }],
      ['PATCH', app, { descriptive_name: credential }],
      ['POST', `${app}/copy`, { new_app_descriptive_name: credential }],
      ['POST', `${app}/tags`, { context: credential, name: 'x' }],
      ['POST', `${app}/tags`, { context: 'x', name: credential }]
    ] as const) {
      const reply = await call(method, url, body)
      t.match(reply, { status: 422, json: { errors: [/must not contain a token or a key_id/] } })
      t.notMatch(reply.text, credential)
    }
  }
  for (const field of ['panels', 'schedule']) {
    const reply = await call('PATCH', app, { [field]: { deep: [{ text: `x ${key.keyAccessToken}` }] } })
    t.match(reply, {
      status: 422,
      json: { errors: [`${field} must not contain a key_access_token, because it would be stored`] }
    })
    t.equal(
      (await call('PATCH', app, { [field]: { md5: key.keyId } })).status,
      200,
      'other hexadecimal digits are allowed there'
    )
  }
})

test('an app has at most a thousand tags', onlyOnSqlite, async t => {
  const { env, call } = await world(t)
  const db = new Database(env['DATABASE_URL'].slice('file:'.length))
  const { json: app } = await call('POST', '/apps', { descriptive_name: 'Tagged', owner_type: 'User', owner_id: 1 })
  const add = db.prepare('insert into tags (app_id, context, name) values (?, ?, ?)')
  db.transaction(() => {
    for (let i = 0; i < 999; i++) add.run(app.id, 'c', `n${i}`)
  })()
  db.close()
  const tag = async (name: string) => await call('POST', `/apps/${app.name}/tags`, { context: 'c', name })
  t.equal((await tag('last')).status, 201)
  t.match(await tag('one more'), { status: 409, json: { code: 'TOO_MANY_TAGS' } })
  t.equal((await tag('last')).status, 200)
  t.equal((await call('DELETE', `/apps/${app.name}/tags`, { context: 'c', name: 'n0' })).status, 204)
  t.equal((await tag('one more')).status, 201)
})
