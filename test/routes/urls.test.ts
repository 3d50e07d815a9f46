import { test } from 'tap'
import { listening, raw, world } from '../helper.ts'
import type { World } from '../helper.ts'
import { signIn } from './user.ts'

interface Parameter {
  name: string
  in: string
  schema: { type?: string }
  example?: unknown
}

interface Operation {
  method: string
  path: string
  parameters: Parameter[]
  /** Whether the operation accepts client keys, or doesn't require a credential. */
  isForKeys: boolean
}

const operationsOf = async ({ call }: World): Promise<Operation[]> => {
  const { paths } = (await call('GET', '/docs/json')).json as {
    paths: Record<string, Record<string, { parameters?: Parameter[]; security: unknown[]; description?: string }>>
  }
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { parameters = [], security, description = '' }]) => ({
      method: method.toUpperCase(),
      path,
      parameters,
      isForKeys: security.length === 0 || description.includes('Credential: a client key')
    }))
  )
}

/** Returns an operation's path, with the examples of its parameters or other values. */
const pathOf = ({ path, parameters }: Operation, values: Record<string, string> = {}): string =>
  parameters
    .filter(parameter => parameter.in === 'path')
    .reduce((url, { name, example }) => url.replace(`{${name}}`, values[name] ?? String(example)), path)

/** Returns a function that sends requests with a key, or as a user if the operation doesn't accept keys. */
const senderOf = async (made: World) => {
  const ada = await signIn(made, 'ada')
  return async (operation: Operation, url: string) => {
    return await (operation.isForKeys ? made.call : ada)(operation.method, url)
  }
}

test('an unknown query parameter is rejected, and the error lists the known ones', async t => {
  const made = await world(t)
  const operations = await operationsOf(made)
  const send = await senderOf(made)
  for (const operation of operations) {
    const known = operation.parameters.filter(parameter => parameter.in === 'query').map(({ name }) => name)
    const url = `${pathOf(operation)}?limitt=1`
    const { status, json } = await send(operation, url)
    if (['/up', '/ready'].includes(operation.path)) {
      t.equal(status, 200, url)
      continue
    }
    const detail = `limitt is not a known field${known.length === 0 ? ': this route has no query parameters' : `; known fields are ${known.join(', ')}`}`
    // Some operations validate the body first.
    if (operation.method !== 'GET' && (json.fields?.[0]?.in === 'body' || json.code === 'INVALID_REQUEST')) continue
    t.match({ status, json }, { status: 422, json: { code: 'INVALID_FIELDS' } }, `${operation.method} ${url}`)
    const fields = json.fields as { pointer: string }[]
    const field = fields.find(({ pointer }) => pointer === '/limitt')
    t.same(field, { in: 'query', pointer: '/limitt', detail }, `${operation.method} ${url}`)
  }
  t.ok(operations.length > 50)
})

test('an unknown query parameter is also rejected with a valid body, and nothing changes', async t => {
  const { call } = await world(t)
  for (const [method, url, body] of [
    ['POST', '/apps?x=1', { descriptive_name: 'Night Shift', owner_type: 'User', owner_id: 1 }],
    ['PATCH', '/apps/ba6811fb3e073d?x=1', { descriptive_name: 'Night Shift' }],
    ['DELETE', '/apps/ba6811fb3e073d?x', undefined],
    ['DELETE', '/apps/ba6811fb3e073d?=', undefined],
    ['POST', '/client_keys?scopes=apps:read', { name: 'x' }],
    ['POST', '/users?admin=true', { name: 'X', email: 'x@example.com' }],
    ['POST', '/auth?x=1', { name: 'X', email: 'x@example.com', password: 'seven green kettles' }],
    ['POST', '/auth/sign_in?x=1', { email: 'ada@example.com', password: 'x' }]
  ] as const) {
    t.match(await call(method, url, body), { status: 422, json: { code: 'INVALID_FIELDS' } }, `${method} ${url}`)
  }
  t.same((await call('GET', '/audits?action=app.update')).json, [])
  t.match(await call('GET', '/apps?'), { status: 200 })
  t.match(await call('GET', '/apps/ba6811fb3e073d?', undefined), { status: 200 })
  t.match(await call('GET', '/docs?x=1'), { status: 200 })
  t.match(await call('GET', '/docs/static/swagger-ui.css?v=1'), { status: 200 })
  t.equal(
    (await call('GET', '/apps?x=1', undefined, { authorization: '' })).status,
    401,
    'the credential is checked first'
  )
})

test('a query parameter may be sent only once, and an integer must consist of decimal digits', async t => {
  const { call } = await world(t)
  for (const [query, error] of [
    ['limit=1&limit=1', 'limit must be sent only once'],
    ['after=x&after=y', 'after must be sent only once'],
    ['include_deleted=true&include_deleted=true', 'include_deleted must be sent only once'],
    ['limit=1e1', 'limit must be a decimal integer, such as 20'],
    ['limit=%2B1', 'limit must be a decimal integer, such as 20'],
    ['limit=+1', 'limit must be a decimal integer, such as 20'],
    ['limit=01', 'limit must be a decimal integer, such as 20'],
    ['limit=0x10', 'limit must be a decimal integer, such as 20'],
    ['limit=1.0', 'limit must be a decimal integer, such as 20'],
    ['limit=', 'limit must be a decimal integer, such as 20'],
    ['limit=-1', 'limit must be at least 1'],
    [`limit=-${'9'.repeat(400)}`, 'limit must be at least 1'],
    [`limit=${'9'.repeat(400)}`, 'limit must be at most 1000'],
    ['include_deleted=1', 'include_deleted must be a boolean'],
    ['include_deleted=TRUE', 'include_deleted must be a boolean']
  ] as const) {
    t.match(await call('GET', `/apps?${query}`), { status: 422, json: { errors: [error] } }, query)
  }
  t.equal((await call('GET', '/apps?limit=20&include_deleted=false')).json.length, 20)
})

test('an id in a path must consist of decimal digits, on every route', async t => {
  const made = await world(t)
  const send = await senderOf(made)
  const operations = await operationsOf(made)
  let integers = 0
  for (const operation of operations) {
    for (const { name, schema } of operation.parameters.filter(parameter => parameter.in === 'path')) {
      const ids = schema.type === 'integer' ? ['+1', '1e0', '01', '0x10', '%201', '1%20', '1.0', '-1', '0', 'x'] : []
      for (const id of [...ids, ...(ids.length > 0 ? ['9'.repeat(30), '9007199254740993'] : []), '']) {
        const url = pathOf(operation, { [name]: id })
        // An empty id at the end of a path would result in a different path.
        if (id === '' && url.endsWith('/')) continue
        integers += ids.length > 0 ? 1 : 0
        t.match(
          await send(operation, url),
          { status: 404, json: { code: 'ROUTE_NOT_FOUND', detail: /^No route has this path/ } },
          `${operation.method} ${url}`
        )
      }
    }
  }
  t.ok(integers > 100)
})

test('every path of an app accepts its id or its name', async t => {
  const made = await world(t)
  const { call } = made
  const { name } = (await call('GET', '/apps/1')).json
  t.equal(name, (await call('GET', `/apps/${name}`)).json.name)
  for (const key of ['1', String(name)]) {
    t.equal((await call('GET', `/apps/${key}/permissions`)).status, 200)
    t.equal((await call('GET', `/apps/${key}/trail`)).status, 200)
    t.equal((await call('PUT', `/apps/${key}`, { descriptive_name: `By ${key}` })).json.id, 1)
    t.equal((await call('PATCH', `/apps/${key}`, { panels: null })).json.id, 1)
    const copy = await call('POST', `/apps/${key}/copy`, { new_app_descriptive_name: `Copy of ${key}` })
    t.match(copy, { status: 201, headers: { location: /^\/apps\/[0-9a-f]{14}$/ } })
    t.equal((await call('POST', `/apps/${key}/tags`, { context: 'by', name: key })).status, 201)
    t.equal((await call('DELETE', `/apps/${key}/tags`, { context: 'by', name: key })).status, 204)
    t.equal((await call('POST', `/apps/${key}/permissions/users/4`)).status, 200)
  }
  const { json } = await call('GET', '/apps/1/trail?limit=1')
  t.match(json, [{ subject: { id: name } }], 'the audit trail contains the name for both')
  t.equal((await call('DELETE', '/apps/1')).status, 204)
  t.match(await call('GET', '/apps/1'), { status: 404, json: { code: 'APP_NOT_FOUND' } })
  for (const key of ['+1', '1e0', '01', '0x10', '%201', '00000000000001', '10000000000000']) {
    t.equal((await call('GET', `/apps/${key}`)).status, 404, key)
  }
})

test("a string of 14 digits is an app's name, not an id", async t => {
  const made = await world(t)
  const digits = '12345678901234'
  await made.fastify.storage.write(async tx => {
    const wanted = { name: digits, descriptiveName: 'Digits', panels: null, schedule: null, createdAt: new Date(0) }
    await tx.apps.insert({ ...wanted, owner: { type: 'User', id: 1 } }, 60_000)
  })
  t.match((await made.call('GET', `/apps/${digits}`)).json, { name: digits })
})

test('a trailing slash in a path changes nothing', async t => {
  const made = await world(t)
  const send = await senderOf(made)
  for (const operation of await operationsOf(made)) {
    if (operation.method !== 'GET' || operation.path === '/apps/name_suggestion') continue
    const url = pathOf(operation)
    const [plain, slashed] = [await send(operation, url), await send(operation, `${url}/`)]
    const comparable = ({ status, json }: typeof plain) => ({ status, code: json.code, keys: Object.keys(json) })
    t.same(comparable(slashed), comparable(plain), url)
  }
  const { call, fastify } = made
  t.match((await call('GET', '/users/?limit=1')).headers, { link: '</users/?limit=1&after=1>; rel="next"' })
  t.equal((await call('POST', '/apps/', { descriptive_name: 'abc', owner_type: 'User', owner_id: 1 })).status, 201)
  t.match(await call('PUT', '/apps/'), { status: 405, headers: { allow: /GET/ } })
  t.match(await call('GET', '/nope/'), { status: 404, json: { code: 'ROUTE_NOT_FOUND' } })
  for (const url of ['/docs/', '/docs/json/', '/docs/yaml/', '/up/']) t.equal((await call('GET', url)).status, 200, url)
  for (const url of ['/apps//', '/apps//tags', '/users//permissions', '//apps', '/docs//']) {
    t.match(await call('GET', url), { status: 404, json: { code: 'ROUTE_NOT_FOUND' } }, url)
  }
  const head = `Host: a\r\nConnection: close\r\nAuthorization: Bearer ${made.key.keyAccessToken}\r\n\r\n`
  t.match(await raw(await listening(fastify), `GET http://a/apps/1/ HTTP/1.1\r\n${head}`), /^HTTP\/1\.1 200 /)
})

test('a position that is not on any page and a filter that no entry can match are rejected', async t => {
  const { call } = await world(t)
  for (const list of ['/apps?limit=1', '/users', '/organizations', '/audits', '/client_keys']) {
    for (const after of ['', '%20', 'zzz']) {
      const url = `${list}${list.includes('?') ? '&' : '?'}after=${after}`
      t.match(await call('GET', url), { status: 422, json: { fields: [{ pointer: '/after' }] } }, url)
    }
  }
  for (const filter of ['subject_type=foo', 'actor_kind=robot']) {
    t.equal((await call('GET', `/audits?${filter}`)).status, 422, filter)
  }
})
