import { test } from 'tap'
import { ipPrefix } from '../../net/addresses.ts'
import { at, listening, raw, SAMPLE_PASSWORD, world } from '../helper.ts'
import type { World } from '../helper.ts'
import { fillPasswordQueue, signIn } from './user.ts'

const post = async (
  { fastify }: World,
  url: string,
  body: object,
  headers: Record<string, string> = {},
  remoteAddress = '127.0.0.1'
) => {
  const response = await fastify.inject({ method: 'POST', url, payload: body, headers, remoteAddress })
  return {
    status: response.statusCode,
    headers: response.headers,
    text: response.payload,
    json: JSON.parse(response.payload)
  }
}

const PASSWORD = 'seven green kettles'

test("sign-up and sign-in return Trivial's headers, which authenticate as three headers or as a single one", async t => {
  const made = await world(t)
  const up = await post(made, '/auth', { name: 'Eve Park', email: 'Eve@Example.com', password: PASSWORD })
  t.equal(up.status, 201)
  t.match(up.json, {
    data: {
      id: Number,
      name: 'Eve Park',
      email: 'eve@example.com',
      role: 'member',
      color_theme: null,
      account_locked: false
    }
  })
  const { status, headers, json, text } = await post(made, '/auth/sign_in', {
    email: ' EVE@example.com',
    password: PASSWORD
  })
  t.equal(status, 200)
  t.equal(headers['cache-control'], 'no-store')
  t.same(json, up.json)
  t.match(headers, {
    'access-token': /^[\w-]{43}$/,
    'token-type': 'Bearer',
    client: /^[\w-]{22}$/,
    expiry: /^\d{10}$/,
    uid: 'eve@example.com',
    authorization: /^Bearer [A-Za-z0-9+/]+=*$/
  })
  t.ok(Math.abs(Number(headers['expiry']) - Date.now() / 1000 - 14 * 86_400) < 60)
  const five = JSON.parse(
    Buffer.from(String(headers['authorization']).slice('Bearer '.length), 'base64').toString()
  ) as Record<'access-token' | 'client' | 'uid', string>
  t.same(
    five,
    Object.fromEntries(['access-token', 'token-type', 'client', 'expiry', 'uid'].map(name => [name, headers[name]]))
  )
  t.notMatch(text, String(headers['access-token']))

  const get = async (sent: Record<string, string>, url = '/profile') =>
    await made.fastify.inject({ url, headers: sent })
  const three = { 'access-token': five['access-token'], client: five['client'], uid: five['uid'] }
  t.same((await get(three)).json(), { user: json.data })
  t.same((await get({ authorization: String(headers['authorization']) })).json(), { user: json.data })
  t.equal((await get({ ...three, uid: 'EVE@EXAMPLE.COM' })).statusCode, 200)
  const { 'access-token': token, client, uid } = three
  for (const bad of [
    { 'access-token': token, client },
    { 'access-token': token, uid },
    { client, uid },
    { ...three, client: 'x' },
    { ...three, uid: 'ada@example.com' },
    { ...three, 'access-token': 'x' },
    { authorization: 'Bearer eyJ' },
    { authorization: `Bearer ${Buffer.from('{"a":1}').toString('base64')}` },
    { authorization: `Bearer ${Buffer.from('{"a').toString('base64')}` },
    { authorization: `Bearer ${token}` },
    { authorization: `Bearer ${Buffer.from('[]').toString('base64')}` }
  ] as Record<string, string>[]) {
    const refused = await get(bad)
    t.equal(refused.statusCode, 401, JSON.stringify(Object.keys(bad)))
    t.match(refused.headers['www-authenticate'], /^Bearer realm="trivial"/)
  }
  t.equal(
    (await get({}, `/profile?access-token=${token}&client=${client}&uid=${uid}`)).statusCode,
    401,
    'credentials in the URL are refused'
  )
})

test('a client without a User-Agent may sign in', async t => {
  const made = await world(t)
  const port = await listening(made.fastify)
  const body = JSON.stringify({ email: 'ada@example.com', password: SAMPLE_PASSWORD })
  t.match(
    await raw(
      port,
      `POST /auth/sign_in HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`
    ),
    /^HTTP\/1\.1 200 /
  )
  const ada = await signIn(made, 'ada')
  t.same(
    (await ada('GET', '/profile/sessions')).json.map(({ agent }: { agent: string | null }) => agent),
    ['lightMyRequest', null]
  )
})

test('a wrong password, an unknown address and an account without a password get the same response', async t => {
  const made = await world(t)
  await made.call('POST', '/users', { name: 'No Password', email: 'none@example.com' })
  const replies = new Set<string>()
  for (const body of [
    { email: 'ada@example.com', password: 'wrong' },
    { email: 'nobody@example.com', password: 'wrong' },
    { email: 'none@example.com', password: '' },
    { email: 'x', password: SAMPLE_PASSWORD }
  ]) {
    const { status, json } = await post(made, '/auth/sign_in', body)
    t.equal(status, 401)
    replies.add(JSON.stringify({ ...json, request_id: '' }))
  }
  t.equal(replies.size, 1)
  t.match(JSON.parse(at([...replies])), {
    code: 'INVALID_LOGIN',
    errors: ['Invalid login credentials. Please try again.']
  })
})

test('invalid sign-up fields are reported', async t => {
  const made = await world(t)
  const good = { name: 'Eve Park', email: 'eve@example.com', password: PASSWORD }
  for (const [change, status, error] of [
    [{ email: 'ADA@example.com' }, 409, /another user|Another user/],
    [{ email: 'eve' }, 422, /email must be an e-mail address/],
    [{ email: 'eve@localhost' }, 422, /email must be/],
    [{ email: 'a b@example.com' }, 422, /email must be/],
    [{ email: 'жук@example.com' }, 422, /email must be/],
    [{ email: 'a@ü.example' }, 422, /email must be/],
    [{ name: `tck_${'x'.repeat(72)}` }, 422, /name must not contain a token/],
    [{ password: 'seven green\nkettles' }, 422, /a single line/],
    [{ name: ' ' }, 422, /name must be well-formed text/],
    [{ password: 'short' }, 422, /at least 12 characters/],
    [{ password: 'x'.repeat(129) }, 422, /at most 128 characters/],
    [{ password: 'passwordpassword' }, 422, /one of the most common ones/],
    [{ password: 'qwerty123456' }, 422, /one of the most common ones/],
    [{ password: 'administrator1!' }, 422, /one of the most common ones/],
    [{ password: 'aaaaaaaaaaaaaaa' }, 422, /one of the most common ones/],
    [{ password: 'EVE@example.com' }, 422, /differ from the name/]
  ] as const) {
    const reply = await post(made, '/auth', { ...good, ...change })
    t.equal(reply.status, status, JSON.stringify(change))
    t.match(reply.json.errors.join(), error)
  }
  t.equal(
    (await post(made, '/auth', { ...good, password: 'é'.repeat(6) + 'ü'.repeat(3) + 'abc' })).status,
    201,
    'the limit applies to characters, not bytes'
  )
  t.equal((await post(await world(t, { SIGN_UP: 'closed' }), '/auth', good)).json.code, 'SIGN_UP_CLOSED')
})

test('users can list and end their own sessions, and a new password ends their other sessions', async t => {
  const made = await world(t)
  const [one, two, three] = [await signIn(made, 'ada'), await signIn(made, 'ada'), await signIn(made, 'ada')]
  const ben = await signIn(made, 'ben')
  const sessions = (await one('GET', '/profile/sessions')).json
  t.equal(sessions.length, 3)
  t.equal(sessions.filter(({ current }: { current: boolean }) => current).length, 1)
  t.match(sessions[0], {
    id: String,
    created_at: /Z$/,
    expires_at: /Z$/,
    address: '127.0.0.1',
    agent: 'lightMyRequest'
  })
  const ownOf = async (call: World['call']): Promise<string> =>
    (await call('GET', '/profile/sessions')).json.find(({ current }: { current: boolean }) => current).id
  t.equal(
    (await ben('DELETE', `/profile/sessions/${await ownOf(two)}`)).status,
    404,
    'other users cannot end the session'
  )
  t.equal((await one('DELETE', `/profile/sessions/${await ownOf(two)}`)).status, 204)
  t.equal((await two('GET', '/profile')).status, 401)
  t.equal((await one('DELETE', '/profile/sessions/nope')).status, 404)

  t.equal((await one('PUT', '/profile/password', { current_password: 'wrong', password: PASSWORD })).status, 401)
  t.equal((await one('PUT', '/profile/password', { current_password: SAMPLE_PASSWORD, password: 'short' })).status, 422)
  t.equal(
    (await one('PUT', '/profile/password', { current_password: SAMPLE_PASSWORD, password: PASSWORD })).status,
    204
  )
  t.same(
    [
      (await one('GET', '/profile')).status,
      (await three('GET', '/profile')).status,
      (await ben('GET', '/profile')).status
    ],
    [200, 401, 200]
  )
  t.match(await post(made, '/auth/sign_in', { email: 'ada@example.com', password: SAMPLE_PASSWORD }), {
    status: 401,
    headers: { 'www-authenticate': /^Bearer realm="trivial"$/ }
  })
  const again = await signIn(made, 'ada', PASSWORD)
  t.equal((await again('DELETE', '/auth/sign_out')).status, 204)
  t.equal((await again('GET', '/profile')).status, 401)

  const changed = await one('PUT', '/profile', {
    name: 'Ada M.',
    color_theme: 'dark'
  })
  t.match(changed, {
    status: 200,
    json: { user: { name: 'Ada M.', color_theme: 'dark', email: 'ada@example.com', role: 'member' } }
  })
  t.match(await one('PUT', '/profile', { name: 'Ada N.', email: 'other@example.com', role: 'admin' }), {
    status: 422,
    json: { errors: [/^email is not a known field; known fields are /, /^role is not a known field/] }
  })
  t.equal((await one('GET', '/profile')).json.user.name, 'Ada M.')
  t.match((await one('PUT', '/profile', { name: 'Ada N.' })).json.user, { name: 'Ada N.', color_theme: 'dark' })
  t.match((await one('PATCH', '/profile', { color_theme: null })).json.user, { name: 'Ada N.', color_theme: null })
})

test('a session ends after 14 days', async t => {
  const made = await world(t)
  const ada = await signIn(made, 'ada')
  const RealDate = Date
  const later = RealDate.now() + 14 * 86_400_000 + 1000
  const clock = t.intercept(globalThis, 'Date', {
    value: class extends RealDate {
      constructor(...args: [string] | []) {
        if (args.length === 0) super(later)
        else super(...args)
      }
      static override now() {
        return later
      }
    }
  })
  const { status } = await ada('GET', '/profile')
  clock.restore()
  t.equal(status, 401)
})

test('a locked account cannot sign in, and its sessions end', async t => {
  const made = await world(t)
  const ada = await signIn(made, 'ada')
  const { id } = (await ada('GET', '/profile')).json.user
  t.equal((await made.call('PATCH', `/users/${id}`, { account_locked: true })).status, 200)
  t.equal((await ada('GET', '/profile')).status, 401)
  t.match(await post(made, '/auth/sign_in', { email: 'ada@example.com', password: SAMPLE_PASSWORD }), {
    status: 403,
    json: { code: 'ACCOUNT_LOCKED' }
  })
  t.equal(
    (await post(made, '/auth/sign_in', { email: 'ada@example.com', password: 'wrong password' })).status,
    401,
    'the lock is reported only with the correct password'
  )
  await made.call('PATCH', `/users/${id}`, { account_locked: false })
  t.equal((await ada('GET', '/profile')).status, 401, 'the session has ended permanently')
})

test('attempts are limited per address and per account, without locking out the user', async t => {
  const made = await world(t)
  const attempt = async (email: string, address: string, password = 'wrong') =>
    await post(made, '/auth/sign_in', { email, password }, {}, address)
  const statuses: number[] = []
  for (let i = 0; i < 21; i++) statuses.push((await attempt('ben@example.com', '192.0.2.1')).status)
  t.same(statuses, [...Array.from({ length: 20 }, () => 401), 429])
  const limited = await attempt('ben@example.com', '192.0.2.1', SAMPLE_PASSWORD)
  t.match(limited, { status: 429, json: { code: 'SIGN_IN_LIMITED' }, headers: { 'retry-after': /^\d+$/ } })
  t.equal(
    (await attempt('ben@example.com', '192.0.2.2', SAMPLE_PASSWORD)).status,
    200,
    'the user can sign in from another address'
  )

  t.equal((await attempt('ada@example.com', '198.51.100.7', SAMPLE_PASSWORD)).status, 200)
  for (let i = 0; i < 101; i++) {
    await made.fastify.inject({
      method: 'POST',
      url: '/auth/sign_in',
      payload: { email: 'ada@example.com', password: '' },
      remoteAddress: `203.0.113.${i}`
    })
  }
  t.equal(
    (await attempt('ada@example.com', '203.0.113.200', SAMPLE_PASSWORD)).status,
    429,
    'attempts from many addresses are limited by account'
  )
  t.equal(
    (await attempt('ada@example.com', '198.51.100.7', SAMPLE_PASSWORD)).status,
    200,
    'attempts from a known location are allowed'
  )
  await made.call('PATCH', '/users/1', { password: PASSWORD })
  t.equal(
    (await attempt('ada@example.com', '198.51.100.7', PASSWORD)).status,
    200,
    'the location stays known without a session'
  )

  for (let i = 0; i < 60; i++) {
    await made.fastify.inject({
      method: 'POST',
      url: '/auth/sign_in',
      payload: { email: `x${i}@example.com`, password: '' },
      remoteAddress: `2001:db8:1:2::${i}`
    })
  }
  t.equal((await attempt('y@example.com', '2001:db8:1:2:ffff::1')).status, 429, 'a whole /64 counts as one address')
  t.equal((await attempt('y@example.com', '2001:db8:1:3::1')).status, 401)
  t.equal(ipPrefix('2001:0:0:7::1'), ipPrefix('2001:0:0:7:1:1:1:1'))
  t.not(ipPrefix('2001:0:0:7::1'), ipPrefix('2001:0:0:8::1'))
})

test('a client key does not belong to a user, and takes precedence over a session in the same request', async t => {
  const made = await world(t)
  for (const [method, url, body] of [
    ['GET', '/profile'],
    ['PUT', '/profile', {}],
    ['PUT', '/profile/password', { current_password: 'x', password: PASSWORD }],
    ['GET', '/profile/sessions'],
    ['DELETE', '/profile/sessions/x'],
    ['DELETE', '/auth/sign_out']
  ] as const) {
    t.match(await made.call(method, url, body), { status: 403, json: { code: 'USER_REQUIRED' } }, `${method} ${url}`)
  }
  const { headers } = await post(made, '/auth/sign_in', { email: 'ada@example.com', password: SAMPLE_PASSWORD })
  const three = Object.fromEntries(['access-token', 'client', 'uid'].map(name => [name, String(headers[name])]))
  t.equal((await made.call('GET', '/apps', undefined, three)).json.length, 24)
  t.equal((await made.fastify.inject({ url: '/apps', headers: three })).json().length, 8)
  const port = await listening(made.fastify)
  const both = `Authorization: ${String(headers['authorization'])}\r\nAuthorization: Bearer ${made.key.keyAccessToken}\r\n`
  t.match(
    await raw(port, `GET /apps HTTP/1.1\r\nHost: localhost:${port}\r\nConnection: close\r\n${both}\r\n`),
    /^HTTP\/1\.1 401 /,
    'two Authorization headers are refused'
  )
})

test('pages from the configured origins may read sessions, and client keys get no CORS headers', async t => {
  const made = await world(t, { CORS_ORIGINS: 'https://app.example.com, http://localhost:5173' })
  const origin = 'https://app.example.com'
  const preflight = async (from: string) =>
    await made.fastify.inject({
      method: 'OPTIONS',
      url: '/apps',
      headers: {
        origin: from,
        'access-control-request-method': 'GET',
        'access-control-request-headers': 'access-token,client,uid'
      }
    })
  const allowed = await preflight(origin)
  t.equal(allowed.statusCode, 204)
  t.equal(allowed.headers['access-control-allow-origin'], origin)
  t.match(allowed.headers['access-control-allow-headers'], /access-token.*client.*uid/)
  t.equal((await preflight('https://evil.example')).headers['access-control-allow-origin'], undefined)
  const signedIn = await post(
    made,
    '/auth/sign_in',
    { email: 'ada@example.com', password: SAMPLE_PASSWORD },
    { origin }
  )
  t.equal(signedIn.headers['access-control-allow-origin'], origin)
  t.match(signedIn.headers['access-control-expose-headers'], /access-token.*client.*expiry.*uid.*authorization/)
  const user = await made.fastify.inject({
    url: '/apps',
    headers: { origin, authorization: String(signedIn.headers['authorization']) }
  })
  t.equal(user.headers['access-control-allow-origin'], origin)
  const key = await made.call('GET', '/apps', undefined, { origin })
  t.equal(key.status, 403)
  t.equal(key.headers['access-control-allow-origin'], undefined)
  t.equal((await made.fastify.inject({ method: 'GET', url: '/nowhere' })).statusCode, 404)
  t.match(
    await made.fastify.inject({ method: 'OPTIONS', url: '/apps', headers: { origin } }),
    { statusCode: 204, payload: '' },
    'a preflight without requested headers'
  )
})

test('a password change is refused if the session ends or the password changes while the request is waiting', async t => {
  const made = await world(t)
  const change = async (call: World['call'], current: string, password: string) =>
    await call('PUT', '/profile/password', { current_password: current, password })
  const [ada, other] = [await signIn(made, 'ada'), await signIn(made, 'ada')]
  const [{ id: own }] = (await ada('GET', '/profile/sessions')).json.filter(
    ({ current }: { current: boolean }) => current
  )

  const first = fillPasswordQueue(made.fastify.passwords)
  const late = change(ada, SAMPLE_PASSWORD, PASSWORD)
  await first.othersWait(1)
  t.equal((await other('DELETE', `/profile/sessions/${own}`)).status, 204)
  t.match(await late, {
    status: 401,
    json: { code: 'INVALID_TOKEN' },
    headers: { 'www-authenticate': 'Bearer realm="trivial", error="invalid_token"' }
  })
  await first.over()

  const again = await signIn(made, 'ada')
  const second = fillPasswordQueue(made.fastify.passwords)
  const passwords = [PASSWORD, 'eight yellow buckets']
  const changes = passwords.map(async password => await change(again, SAMPLE_PASSWORD, password))
  await second.othersWait(2)
  const codes = (await Promise.all(changes)).map(({ status, json }) => (status === 204 ? 'changed' : json.code))
  t.same(codes.toSorted(), ['INVALID_LOGIN', 'changed'])
  await second.over()
  t.equal((await other('GET', '/profile')).status, 401)
  t.type(await signIn(made, 'ada', passwords[codes.indexOf('changed')]), 'function')

  const ben = await signIn(made, 'ben')
  const third = fillPasswordQueue(made.fastify.passwords)
  const locked = change(ben, SAMPLE_PASSWORD, PASSWORD)
  await third.othersWait(1)
  await made.call('PATCH', '/users/2', { account_locked: true })
  t.notOk((await locked).status === 204)
  await third.over()
  await made.call('PATCH', '/users/2', { account_locked: false })
  await signIn(made, 'ben')
})

test('changing the e-mail address ends the sessions that were started with the previous one', async t => {
  const made = await world(t)
  const ada = await signIn(made, 'ada')
  t.equal((await made.call('PATCH', '/users/1', { email: 'moreno@example.com' })).status, 200)
  t.equal((await ada('GET', '/profile')).status, 401)
  await made.call('PATCH', '/users/1', { email: 'ada@example.com' })
  t.equal((await ada('GET', '/profile')).status, 401, 'the session has ended permanently')
})

test('a large malformed string is rejected immediately in every field', async t => {
  const made = await world(t)
  const ada = await signIn(made, 'ada')
  const text = `${'a'.repeat(450_000)}\u0001`
  for (const [call, method, url, body] of [
    [made.call, 'POST', '/auth', { name: text, email: 'a@example.com', password: PASSWORD }],
    [made.call, 'POST', '/auth', { name: 'A', email: `${text}@example.com`, password: PASSWORD }],
    [made.call, 'POST', '/auth', { name: 'A', email: `a@${'a.'.repeat(490_000)}!`, password: PASSWORD }],
    [ada, 'PUT', '/profile', { color_theme: text }],
    [made.call, 'POST', '/users', { name: text, email: 'a@example.com' }],
    [made.call, 'POST', '/organizations', { name: text, billing_email: text }],
    [made.call, 'POST', '/apps', { descriptive_name: text, owner_type: 'User', owner_id: 1 }],
    [made.call, 'POST', '/apps/70e2d94bc6a18f/tags', { context: text, name: text }],
    [made.call, 'POST', '/client_keys', { name: text, description: text }],
    [made.call, 'POST', '/client_keys', { name: 'x', expires_at: text, allowed_ips: [text] }]
  ] as const) {
    t.equal((await call(method, url, body)).status, 422, `${method} ${url}`)
  }
})
