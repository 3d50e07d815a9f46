import { test } from 'tap'
import { problemFields } from '../../http/problem-fields.ts'
import { CODES } from '../../http/problems.ts'
import { DomainError } from '../../domain/domain-error.ts'
import * as domainErrors from '../../domain/errors.ts'
import * as httpErrors from '../../http/errors.ts'
import { fieldIssues } from '../../http/validation-issues.ts'
import { required, world } from '../helper.ts'
import { signIn } from '../routes/user.ts'

const APP = '/apps/ba6811fb3e073d'
const NEW = { descriptive_name: 'Night Shift', owner_type: 'User', owner_id: 1 }

test('a problem contains JSON pointers to the invalid fields', async t => {
  const made = await world(t)
  const { call } = made
  await call('POST', '/client_keys', { name: 'taken' })
  await call('POST', '/apps', NEW)
  const at = (place: string, ...pointers: string[]) => pointers.map(pointer => ({ in: place, pointer, detail: String }))
  const body = (...pointers: string[]) => at('body', ...pointers)
  const query = (...pointers: string[]) => at('query', ...pointers)
  for (const [method, url, sent, status, fields] of [
    ['POST', '/client_keys', { scopes: ['apps:read', 'x'] }, 422, body('/name', '/scopes/1')],
    ['POST', '/client_keys', { name: 'x', rate_limit: { max: 1 } }, 422, body('/rate_limit/window_seconds')],
    [
      'POST',
      '/client_keys',
      { name: 'x', rate_limit: { max: 1, window_seconds: 1, a: 1 } },
      422,
      body('/rate_limit/a')
    ],
    ['POST', '/client_keys', { name: 'x', 'a/b': 1, 'c d': 1 }, 422, body('')],
    ['POST', '/client_keys', { name: '-', allowed_ips: ['::1', 'x'] }, 422, body('/allowed_ips/1', '/name')],
    [
      'POST',
      '/client_keys',
      { name: made.key.keyId, metadata: { a: made.key.keyId } },
      422,
      body('/name', '/metadata')
    ],
    ['POST', '/client_keys', { name: 'x', metadata: { a: 'x'.repeat(5000) } }, 422, body('/metadata')],
    ['POST', '/client_keys', { name: 'x', expires_at: '2020-01-01' }, 422, body('/expires_at')],
    ['POST', '/client_keys', { name: 'x', expires_at: '9999-12-31T23:59:59-12:00' }, 422, body('/expires_at')],
    ['POST', '/client_keys', { name: 'x', expires_at: '2026-12-31T23:59:60Z' }, 422, body('/expires_at')],
    ['POST', '/client_keys', { name: 'taken' }, 409, body('/name')],
    ['POST', '/client_keys', '[]', 422, body('')],
    ['POST', '/apps', {}, 422, body('/descriptive_name', '/owner_type', '/owner_id')],
    ['POST', '/apps', { ...NEW, panels: 1, nope: 1 }, 422, body('/nope', '/panels')],
    ['POST', '/apps', `{"descriptive_name":"a night","panels":{"a":1e999}}`, 422, body('/owner_type', '/owner_id')],
    ['PUT', APP, '{"panels":{"a":1e999}}', 422, body('/panels')],
    ['PUT', APP, { panels: { a: made.key.keyAccessToken } }, 422, body('/panels')],
    ['POST', '/apps', { ...NEW, owner_id: 99 }, 422, body('/owner_id')],
    ['POST', '/apps', NEW, 409, body('/descriptive_name')],
    [
      'POST',
      '/apps/70e2d94bc6a18f/copy',
      { new_app_descriptive_name: 'Night Shift' },
      409,
      body('/new_app_descriptive_name')
    ],
    ['POST', `${APP}/copy`, { new_app_descriptive_name: made.key.keyId }, 422, body('/new_app_descriptive_name')],
    ['POST', '/users', { name: 'A', email: 'ada@example.com' }, 409, body('/email')],
    ['POST', '/users', { name: 'A', email: 'a@example.com', password: 'short' }, 422, body('/password')],
    ['POST', '/auth', { name: 'A', email: 'a@example.com', password: 'short' }, 422, body('/password')],
    ['DELETE', '/organizations/1?transfer_to=User:99', undefined, 422, query('/transfer_to')],
    ['DELETE', '/users/1?transfer_to=User:2&apps=delete', undefined, 422, query('/transfer_to', '/apps')],
    ['GET', '/apps?limit=0&after=x&include_deleted=1', undefined, 422, query('/limit', '/include_deleted')],
    ['GET', '/apps?after=x&tagged_with=x', undefined, 422, query('/after', '/tagged_with')],
    ['GET', '/audits?since=tomorrow&lim%2Fit=1&limitt=1', undefined, 422, query('', '/limitt', '/since')],
    ['GET', '/audits?since=9000y', undefined, 422, query('/since')],
    ['POST', `${APP}/permission/fly/users/2`, undefined, 422, at('path', '/permit')],
    ['GET', '/users/x', undefined, 404, undefined],
    ['GET', '/apps/x', undefined, 404, undefined],
    ['POST', '/apps', '{', 400, undefined]
  ] as const) {
    const type = sent === undefined ? {} : { 'content-type': 'application/json' }
    const { status: got, json } = await call(method, url, sent, type)
    t.equal(got, status, `${method} ${url} ${JSON.stringify(sent)} ${json.detail}`)
    const sort = (list: { pointer: string }[] = []) => [...list].sort((a, b) => (a.pointer < b.pointer ? -1 : 1))
    t.match(sort(json.fields), sort(fields), `${method} ${url} ${JSON.stringify(sent)}`)
    t.equal(json.fields?.length, fields?.length, `${method} ${url} ${JSON.stringify(sent)}`)
    t.notMatch(JSON.stringify(json), made.key.keyId)
    for (const { detail } of json.fields ?? []) t.ok(json.errors.includes(detail), detail)
  }
})

test('fields that exceed the permission boundary are also named', async t => {
  const made = await world(t)
  const dmitri = await signIn(made, 'dmitri')
  const { status, json } = await dmitri('POST', '/client_keys', { name: 'x', scopes: ['users:read', 'apps:read'] })
  t.equal(status, 403)
  t.match(json, { code: 'BEYOND_CEILING', fields: [{ in: 'body', pointer: '/scopes', detail: json.detail }] })
})

test("names in a pointer are escaped, and Ajv's escaped names are unescaped", async t => {
  const detail = 'a/b is wrong'
  const problem = new domainErrors.InvalidFields({ issues: [{ path: ['a/b~c', '0'], detail }] })
  t.same(problemFields(problem, {}, 'body'), [{ in: 'body', pointer: '/a~1b~0c/0', detail }])
  t.match(fieldIssues([{ keyword: 'minLength', instancePath: '/a~1b~0c/0', params: { limit: 1 } }]), [
    { path: ['a/b~c', '0'], detail: 'a/b~c.0 must have at least 1 character' }
  ])
  t.same(problemFields(problem), [], 'a field that the route does not have is omitted')
})

test('the document contains every code that a client can get, and describes each property of a problem', async t => {
  const { call } = await world(t)
  const { components } = (await call('GET', '/docs/json')).json as {
    components: { schemas: Record<string, { properties: Record<string, { enum?: string[]; description?: string }> }> }
  }
  const { properties } = required(components.schemas['Problem'], 'Problem')
  const made = Object.values({ ...domainErrors, ...httpErrors }).flatMap(each => {
    // The class name of each kind of failure is its code.
    return Object.getPrototypeOf(each) === DomainError ? [each.name] : []
  })
  t.ok(made.length > 50)
  const codes = [...new Set(made)].filter(code => code !== 'REQUEST_CANCELLED').sort()
  t.same([...(properties['code']?.enum ?? [])].sort(), codes)
  t.same([...CODES].sort(), codes)
  for (const [name, { description }] of Object.entries(properties)) t.ok(description, name)
})
