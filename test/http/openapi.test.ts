import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { test } from 'tap'
import { command } from '../cli/terminal.ts'
import { at, required, root, world } from '../helper.ts'
import type { World } from '../helper.ts'
import { signIn } from '../routes/user.ts'

interface Operation {
  operationId: string
  summary?: string
  description?: string
  tags?: string[]
  security: unknown[]
  parameters?: { name: string; in: string; example?: unknown }[]
  requestBody?: { content: Record<string, { schema: object; example?: unknown }> }
  responses: Record<string, Response | { $ref: string }>
}

interface Response {
  description: string
  content?: Record<string, { schema?: object; examples?: Record<string, { value: unknown }> }>
}

interface Document {
  openapi: string
  info: { version: string }
  servers: { url: string }[]
  paths: Record<string, Record<string, Operation>>
  components: {
    schemas: Record<string, object>
    responses: Record<string, Response>
    securitySchemes: Record<string, object>
  }
}

const documentOf = async ({ call }: World): Promise<Document> => (await call('GET', '/docs/json')).json as Document

const operations = ({ paths }: Document): [route: string, operation: Operation][] =>
  Object.entries(paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]): [string, Operation] => [
      `${method.toUpperCase()} ${path}`,
      operation
    ])
  )

const operationOf = ({ paths }: Document, path: string, method: string): Operation =>
  required(paths[path]?.[method], `${method} ${path}`)

const PREFIX = '#/components/responses/'

const responsesOf = ({ components }: Document, { responses }: Operation): [status: string, response: Response][] =>
  Object.entries(responses).map(([status, response]) => [
    status,
    '$ref' in response ? required(components.responses[response.$ref.slice(PREFIX.length)], response.$ref) : response
  ])

/** The credentials that an operation accepts: `security`, and the corresponding sentence in the description. */
type Access = readonly [security: unknown[], sentence: string]

const open: Access = [[], '']
const user: Access = [[{ bearer: [] }], "Credential: a user's session."]
const anyKey: Access = [[{ bearer: [] }], 'Credential: a client key.']
const key = (scope: string): Access => [[{ bearer: [scope] }], `Credential: a client key with \`${scope}\`.`]
const both = (scope: string, session = 'a user'): Access => [
  [{ bearer: [scope] }],
  `Credential: a client key with \`${scope}\`, or ${session}'s session.`
]
const forAdmins = (scope: string): Access => both(scope, 'an administrator')

const introspecting: Access = [
  [{ bearer: ['tokens:introspect'] }],
  'Credential: a client key with `tokens:introspect` or `tokens:introspect:<service>`.'
]

const accessTo = ({ security, description }: Operation): Access => [
  security,
  /(?<=\n\n)Credential: .*$/.exec(description ?? '')?.[0] ?? ''
]

/** Returns whether requests without a credential are accepted. */
const isOptional = ({ security }: Operation): boolean =>
  security.some(schemes => Object.keys(schemes as object).length === 0)

test('npm run openapi prints the document that the service serves', async t => {
  const made = await world(t)
  const { code, stdout, stderr } = await command(t, 'openapi')
  t.equal(code, 0)
  t.equal(stderr, '')
  const printed = JSON.parse(stdout) as Document
  const { servers, ...described } = printed
  t.same(servers, [{ url: 'http://127.0.0.1:3000' }])
  const { servers: _, ...served } = await documentOf(made)
  t.same(described, served)
  t.equal(printed.openapi, '3.1.0')
  t.equal(
    printed.info.version,
    (JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }).version
  )
})

test('every route documents its summary, description, responses, problems with examples, and accepted credentials', async t => {
  const document = await documentOf(await world(t))
  const routes = operations(document)
  t.same(Object.fromEntries(routes.map(([route, operation]) => [route, accessTo(operation)])), {
    'DELETE /apps/{id}/permission/{permit}/users/{user_id}': both('apps:write'),
    'DELETE /apps/{id}/permissions/users/{user_id}': both('apps:write'),
    'DELETE /apps/{name}': both('apps:write'),
    'DELETE /apps/{name}/tags': both('apps:write'),
    'DELETE /auth/sign_out': [[{}, ...user[0]], user[1]],
    'DELETE /organizations/{id}': both('organizations:write'),
    'DELETE /organizations/{id}/delete_org_role': both('organizations:write'),
    'DELETE /organizations/{id}/users/{user_id}': both('organizations:write'),
    'DELETE /profile/sessions/{id}': user,
    'DELETE /users/{id}': forAdmins('users:write'),
    'GET /apps': both('apps:read'),
    'GET /apps/name_suggestion': both('apps:read'),
    'GET /apps/{id}/audits': both('audits:read'),
    'GET /apps/{id}/trail': both('audits:read'),
    'GET /apps/{id}/permissions': both('apps:read'),
    'GET /apps/{name}': both('apps:read'),
    'GET /audits': key('audits:read'),
    'GET /client_keys': forAdmins('client_keys:read'),
    'POST /client_keys/inspect': forAdmins('client_keys:read'),
    'POST /introspect': introspecting,
    'POST /introspect/batch': introspecting,
    'GET /client_keys/usage': forAdmins('client_keys:read'),
    'GET /client_keys/me': anyKey,
    'GET /client_keys/me/usage': anyKey,
    'GET /client_keys/{id}': forAdmins('client_keys:read'),
    'GET /client_keys/{id}/usage': forAdmins('client_keys:read'),
    'GET /services': key('services:read'),
    'GET /services/{name}': key('services:read'),
    'POST /services': key('services:write'),
    'PATCH /services/{name}': key('services:write'),
    'DELETE /services/{name}': key('services:write'),
    'GET /receipts/{id}': forAdmins('client_keys:read'),
    'GET /nodes': forAdmins('client_keys:read'),
    'GET /organizations': both('organizations:read'),
    'GET /organizations/{id}': both('organizations:read'),
    'GET /organizations/{id}/audits': both('audits:read'),
    'GET /organizations/{id}/trail': both('audits:read'),
    'GET /profile': user,
    'GET /profile/sessions': user,
    'GET /ready': open,
    'GET /up': open,
    'GET /users': forAdmins('users:read'),
    'GET /users/{id}': forAdmins('users:read'),
    'GET /users/{id}/grants': both('users:read'),
    'GET /users/{id}/permissions': both('users:read'),
    'PATCH /apps/{name}': both('apps:write'),
    'PATCH /client_keys/{id}': forAdmins('client_keys:write'),
    'PATCH /organizations/{id}': both('organizations:write'),
    'PATCH /profile': user,
    'PATCH /users/{id}': forAdmins('users:write'),
    'POST /apps': both('apps:write'),
    'POST /apps/{id}/permission/{permit}/users/{user_id}': both('apps:write'),
    'POST /apps/{id}/permissions/users/{user_id}': both('apps:write'),
    'POST /apps/{name}/copy': both('apps:write'),
    'POST /apps/{name}/tags': both('apps:write'),
    'POST /auth': open,
    'POST /auth/sign_in': open,
    'POST /client_keys': forAdmins('client_keys:write'),
    'POST /client_keys/revoke': forAdmins('client_keys:write'),
    'POST /client_keys/{id}/revoke': forAdmins('client_keys:write'),
    'POST /client_keys/{id}/rotate': forAdmins('client_keys:write'),
    'POST /organizations': both('organizations:write'),
    'POST /users': forAdmins('users:write'),
    'PUT /apps/{id}/transfer/{owner_type}/{owner_id}': both('apps:write'),
    'PUT /apps/{name}': both('apps:write'),
    'PUT /organizations/{id}': both('organizations:write'),
    'PUT /organizations/{id}/users/{user_id}': both('organizations:write'),
    'PUT /profile': user,
    'PUT /profile/password': user,
    'PUT /users/{id}': forAdmins('users:write')
  })
  t.match(document.components.securitySchemes, {
    bearer: { type: 'http', scheme: 'bearer', description: /client key/ }
  })
  t.same(
    Object.keys(document.components.securitySchemes),
    ['bearer'],
    'a generated client sends every scheme, so there must be only one'
  )
  t.equal(new Set(routes.map(([, { operationId }]) => operationId)).size, routes.length)
  for (const [route, operation] of routes) {
    t.ok(operation.summary && operation.description && operation.tags?.length === 1, route)
    const isPublic = operation.security.length === 0
    t.ok(
      Object.keys(operation.responses).some(status => status.startsWith('2')),
      route
    )
    if (!isPublic) {
      t.ok(
        [isOptional(operation) ? '404' : '401', '403', '429', '503'].every(status => status in operation.responses),
        route
      )
    }
    if (operation.requestBody !== undefined) {
      t.ok(
        ['400', '413', '415', '422'].every(status => status in operation.responses),
        route
      )
      t.match(operation.requestBody.content['application/json'], { schema: { additionalProperties: false } }, route)
    }
    for (const [status, { description, content }] of responsesOf(document, operation)) {
      t.ok(description, `${route} ${status}`)
      if (status < '400') continue
      const problem = content?.['application/problem+json']
      t.ok(problem?.schema && Object.values(problem.examples ?? {}).length > 0, `${route} ${status}`)
    }
  }
})

test('responses match the document', async t => {
  const made = await world(t)
  const document = await documentOf(made)
  const ajv = new Ajv2020({ strict: false, formats: { 'date-time': true, uri: true } })
  ajv.addSchema(document, 'api')
  const check = (
    route: string,
    { status, json, headers }: { status: number; json: unknown; headers: Record<string, unknown> }
  ): void => {
    const [verb = '', path = ''] = route.split(' ')
    const method = verb.toLowerCase()
    const type = at(String(headers['content-type']).split(';'))
    const response = required(operationOf(document, path, method).responses[String(status)], `${route} ${status}`)
    const place =
      '$ref' in response ? response.$ref.split('/').slice(1) : ['paths', path, method, 'responses', String(status)]
    const pointer = [...place, 'content', type, 'schema']
      .map(part => part.replaceAll('~', '~0').replaceAll('/', '~1'))
      .map(encodeURIComponent)
      .join('/')
    const validate = ajv.compile({ $ref: `api#/${pointer}` })
    t.ok(validate(json), `${route} ${status} ${JSON.stringify(validate.errors)}`)
  }
  const app = '/apps/ba6811fb3e073d'
  const fresh = { descriptive_name: 'Night Shift', owner_type: 'User', owner_id: 1 }
  check('GET /apps', await made.call('GET', '/apps'))
  check('GET /apps', await made.call('GET', '/apps?limit=0'))
  check('GET /apps/{name}', await made.call('GET', app))
  check('GET /apps/{name}', await made.call('GET', '/apps/x'))
  check('POST /apps', await made.call('POST', '/apps', fresh))
  check('POST /apps', await made.call('POST', '/apps', fresh))
  check('POST /apps', await made.call('POST', '/apps', '{', { 'content-type': 'application/json' }))
  check('POST /apps', await made.call('POST', '/apps', 'x', { 'content-type': 'text/plain' }))
  check('PUT /apps/{name}', await made.call('PUT', app, { panels: null }))
  check('PATCH /apps/{name}', await made.call('PATCH', app, { schedule: null }))
  check('POST /apps/{name}/copy', await made.call('POST', `${app}/copy`, { new_app_descriptive_name: 'A copy' }))
  check('POST /apps/{name}/tags', await made.call('POST', `${app}/tags`, { context: 'a', name: 'b' }))
  check('POST /apps/{name}/tags', await made.call('POST', `${app}/tags`, { context: 'a', name: 'b' }))
  check('GET /apps/name_suggestion', await made.call('GET', '/apps/name_suggestion'))
  const issued = await made.call('POST', '/client_keys', {
    name: 'one',
    expires_at: '2099-01-01T00:00:00Z',
    rate_limit: { max: 5, window_seconds: 1 }
  })
  check('POST /client_keys', issued)
  check('POST /client_keys', await made.call('POST', '/client_keys', { name: 'one' }))
  const keyUrl = `/client_keys/${issued.json.id}`
  check('GET /client_keys', await made.call('GET', '/client_keys'))
  check('GET /client_keys', await made.call('GET', '/client_keys?limit=0'))
  check('GET /client_keys/me', await made.call('GET', '/client_keys/me'))
  check('GET /client_keys/me/usage', await made.call('GET', '/client_keys/me/usage'))
  check('GET /client_keys/{id}', await made.call('GET', keyUrl))
  check('GET /client_keys/{id}', await made.call('GET', '/client_keys/x'))
  check('PATCH /client_keys/{id}', await made.call('PATCH', keyUrl, { enabled: false }))
  check('POST /client_keys/{id}/rotate', await made.call('POST', `${keyUrl}/rotate`, {}))
  check(
    'GET /client_keys/{id}/usage',
    await made.call('GET', `/client_keys/${(await made.call('GET', '/client_keys/me')).json.id}/usage`)
  )
  const revoked = await made.call('POST', `${keyUrl}/revoke`, { reason: 'a test' })
  check('POST /client_keys/{id}/revoke', revoked)
  check('POST /client_keys/{id}/rotate', await made.call('POST', `${keyUrl}/rotate`, {}))
  check('GET /receipts/{id}', await made.call('GET', `/receipts/${revoked.json.receipt.id}`))
  check('GET /receipts/{id}', await made.call('GET', '/receipts/999'))
  check('GET /nodes', await made.call('GET', '/nodes'))
  check('POST /services', await made.call('POST', '/services', { name: 'orders', scopes: [{ name: 'orders:read' }] }))
  check('POST /services', await made.call('POST', '/services', { name: 'orders' }))
  await made.call('POST', '/client_keys', { name: 'of a service', scopes: ['orders:read'] })
  check('GET /services', await made.call('GET', '/services'))
  check('GET /services/{name}', await made.call('GET', '/services/orders'))
  check('GET /services/{name}', await made.call('GET', '/services/ledger'))
  check('PATCH /services/{name}', await made.call('PATCH', '/services/orders', { description: 'Takes orders' }))
  check('DELETE /services/{name}', await made.call('DELETE', '/services/orders'))
  check('DELETE /services/{name}', await made.call('DELETE', '/services/orders?force=true'))
  check('GET /client_keys', await made.call('GET', '/client_keys?name=of'))
  check('GET /audits', await made.call('GET', '/audits'))
  const ada = await signIn(made, 'ada')
  check('DELETE /auth/sign_out', await made.call('DELETE', '/auth/sign_out', undefined, { authorization: '' }))
  check('GET /profile', await ada('GET', '/profile'))
  check('PATCH /profile', await ada('PATCH', '/profile', {}))
  check('GET /profile', await made.call('GET', '/profile'))
  check('GET /profile/sessions', await ada('GET', '/profile/sessions'))
  check('GET /users', await made.call('GET', '/users'))
  check('GET /users', await ada('GET', '/users'))
  check('GET /users/{id}', await made.call('GET', '/users/1'))
  check('GET /users/{id}/permissions', await made.call('GET', '/users/3/permissions'))
  check('GET /users/{id}/grants', await made.call('GET', '/users/3/grants'))
  check('GET /organizations', await ada('GET', '/organizations'))
  check('GET /organizations/{id}', await ada('GET', '/organizations/1'))
  check('GET /organizations/{id}', await ada('GET', '/organizations/2'))
  check('DELETE /organizations/{id}', await ada('DELETE', '/organizations/1'))
  check('PUT /organizations/{id}/users/{user_id}', await ada('PUT', '/organizations/1/users/4', { role: 'guest' }))
  check('GET /apps/{id}/permissions', await ada('GET', '/apps/70e2d94bc6a18f/permissions'))
  check('POST /apps/{id}/permissions/users/{user_id}', await ada('POST', '/apps/70e2d94bc6a18f/permissions/users/4'))
  check(
    'PUT /apps/{id}/transfer/{owner_type}/{owner_id}',
    await ada('PUT', '/apps/70e2d94bc6a18f/transfer/organizations/1')
  )
  check('GET /apps/{id}/audits', await ada('GET', '/apps/70e2d94bc6a18f/audits'))
  check('GET /apps/{id}/trail', await ada('GET', '/apps/70e2d94bc6a18f/trail'))
  check('GET /organizations/{id}/audits', await ada('GET', '/organizations/1/audits'))
  check('GET /organizations/{id}/audits', await ada('GET', '/organizations/1/audits?search=x'))
  check('GET /organizations/{id}/trail', await ada('GET', '/organizations/1/trail'))
  check('GET /up', await made.call('GET', '/up'))
  check('GET /ready', await made.call('GET', '/ready'))
  check('GET /apps', await made.call('GET', '/apps', undefined, { authorization: 'x' }))
  check('GET /apps', await made.call('GET', '/apps', undefined, { 'sec-fetch-site': 'cross-site' }))
})

test('passwords have no examples in the document', async t => {
  const { call } = await world(t)
  const passwords: unknown[] = []
  JSON.stringify((await call('GET', '/docs/json')).json, (name, value: unknown) => {
    if (/password$/.test(name)) passwords.push(value)
    return value
  })
  t.ok(passwords.length > 3)
  for (const schema of passwords) t.notMatch(schema, { examples: Array })
})

test("the document's examples are valid requests and responses", async t => {
  const document = await documentOf(await world(t))
  const ajv = new Ajv2020({ strict: false, formats: { 'date-time': true, uri: true } })
  ajv.addSchema(document, 'api')
  for (const [route, operation] of operations(document)) {
    for (const [, { content }] of responsesOf(document, operation)) {
      for (const { schema, examples } of Object.values(content ?? {})) {
        for (const { value } of Object.values(examples ?? {})) {
          t.ok(ajv.validate(JSON.parse(JSON.stringify(schema).replaceAll('"#/', '"api#/')), value), route)
        }
      }
    }
  }
})

test('types can be generated from the document without warnings', async t => {
  const { default: openapiTS, astToString } = await import('openapi-typescript')
  const warnings: unknown[] = []
  for (const level of ['warn', 'error', 'log', 'info'] as const) {
    t.intercept(console, level, {
      value: (...args: unknown[]) => {
        warnings.push(args)
      }
    })
  }
  const types = astToString(await openapiTS(JSON.stringify(await documentOf(await world(t)))))
  t.match(types, /listApps/)
  t.match(types, /descriptive_name: string/)
  t.same(warnings, [])
})

test("each problem response occurs only once in the document, and contains its route's scope", async t => {
  const document = await documentOf(await world(t))
  const used = new Set<string>()
  for (const [route, operation] of operations(document)) {
    for (const [status, response] of Object.entries(operation.responses)) {
      t.equal('$ref' in response, status >= '400', `${route} ${status}`)
      if ('$ref' in response) used.add(response.$ref.slice(PREFIX.length))
    }
    for (const [status, { description, content }] of responsesOf(document, operation)) {
      const examples = Object.values(content?.['application/problem+json']?.examples ?? {}).map(
        ({ value }) => value as { status: number; title: string; code: string; detail: string }
      )
      if (status < '400') continue
      t.equal(description, examples.map(({ title }) => `${title}.`).join(' '), `${route} ${status}`)
      for (const example of examples) {
        t.equal(String(example.status), status, route)
        if (example.code === 'INSUFFICIENT_SCOPE') {
          t.match(operation.security[0], { bearer: [/the scope (\S+)\. /.exec(example.detail)?.[1]] }, route)
        }
      }
    }
  }
  t.same([...used].sort(), Object.keys(document.components.responses).sort())
  t.ok(JSON.stringify(document).length < 300_000)
})

test('the values that Swagger UI fills in can be sent unchanged', async t => {
  const { call, ...made } = await world(t)
  const document = await documentOf({ call, ...made })
  for (const [route, { parameters = [] }] of operations(document)) {
    for (const parameter of parameters) {
      if (parameter.in === 'header') t.equal(parameter.example, undefined, `${route} ${parameter.name}`)
      if (parameter.name === 'limit') t.equal(parameter.example, 20, route)
      if (parameter.name === 'after') t.equal(parameter.example, undefined, route)
    }
  }
  const { content } = required(operationOf(document, '/client_keys', 'post').requestBody, 'a body')
  const { status, json } = await call(
    'POST',
    '/client_keys',
    required(content['application/json'], 'a JSON body').example
  )
  t.equal(status, 201)
  t.ok(new Date(json.expires_at) > new Date())
  const headers = { authorization: `Bearer ${json.key_access_token}` }
  t.equal((await call('GET', '/apps', undefined, headers)).status, 200, 'the issued key can be used')
})

test('the documentation recommends managed keys, which are active immediately', async t => {
  const { info, components } = await documentOf(await world(t))
  const commands = JSON.stringify([info, components.securitySchemes]).match(/key:issue[^`]*/g) ?? []
  t.ok(commands.length >= 2)
  for (const each of commands) t.match(each, /^key:issue -- --name /)
})

test('sign-up and sign-in routes come before routes that require a session', async t => {
  const document = await documentOf(await world(t))
  const routes = operations(document).filter(([, { tags }]) => tags?.[0] === 'Signing in')
  const isOpen = routes.map(([, { security }]) => security.length === 0)
  t.ok(isOpen.includes(true) && isOpen.includes(false))
  t.same(isOpen, [...isOpen].sort().reverse())
})

test('every response other than a problem has at most one media type, so that generated clients know its type', async t => {
  const document = await documentOf(await world(t))
  for (const [route, operation] of operations(document)) {
    for (const [status, { content = {} }] of responsesOf(document, operation)) {
      t.ok(Object.keys(content).length <= 1, `${route} ${status}`)
    }
  }
})
