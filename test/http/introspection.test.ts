import { test } from 'tap'
import type { Test } from 'tap'
import { raw } from '../helper.ts'
import { spawned } from '../cli/process.ts'
import { FORM } from '../introspection.ts'
import { logLines, start } from './service.ts'

/** Starts a service that has keys, and returns functions that send requests through sockets. */
const started = async (t: Test) => {
  const service = await start(t)
  const url = `http://127.0.0.1:${service.port}`
  const post = async (path: string, body: unknown, token = service.key.keyAccessToken) =>
    await fetch(url + path, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify(body)
    })
  const issue = async (name: string, ...scopes: string[]): Promise<{ id: string; key_access_token: string }> =>
    (await (await post('/client_keys', { name, scopes })).json()) as { id: string; key_access_token: string }
  t.equal((await post('/services', { name: 'orders', scopes: [{ name: 'orders:read' }] })).status, 201)
  const caller = await issue('orders', 'tokens:introspect:orders')
  const credentials = `Basic ${Buffer.from(`${caller.id}:${caller.key_access_token}`).toString('base64')}`
  return {
    service,
    issue,
    caller,
    ask: async (token: string) => {
      const reply = await fetch(`${url}/introspect`, {
        method: 'POST',
        headers: { authorization: credentials },
        body: new URLSearchParams({ token, scope: 'orders:read', token_type_hint: 'access_token' })
      })
      return { status: reply.status, headers: reply.headers, text: await reply.text() }
    },
    batch: async (...tokens: string[]) =>
      await (
        await post(
          '/introspect/batch',
          tokens.map(token => ({ token })),
          caller.key_access_token
        )
      ).text()
  }
}

test('a key that another process revokes is inactive at the next request, and no token is logged', async t => {
  const { service, issue, ask, batch, caller } = await started(t)
  const { id, key_access_token: token } = await issue('shop', 'orders:read')
  t.match(await ask(token), { status: 200, text: '"active":true' })
  t.match(await batch(token), '"active":true')
  t.equal((await spawned(t, 'key:revoke', { env: service.env, args: ['shop'] }).ended).code, 0)
  const { status, text, headers } = await ask(token)
  t.same([status, text, headers.get('cache-control')], [200, '{"active":false}', 'no-store'])
  t.equal(await batch('x', token), '[{"active":false},{"active":false}]')
  await fetch(`http://127.0.0.1:${service.port}/introspect?token=${token}`)

  service.process.kill('SIGTERM')
  const { stdout, stderr } = await service.ended
  t.same(
    logLines(stdout).flatMap(({ msg, inactive, requester }) =>
      msg === 'tokens introspected as inactive' ? [{ inactive, requester }] : []
    ),
    [
      { requester: caller.id, inactive: [{ entry: 0, reason: 'key_revoked', key: id }] },
      {
        requester: caller.id,
        inactive: [
          { entry: 0, reason: 'malformed' },
          { entry: 1, reason: 'key_revoked', key: id }
        ]
      }
    ]
  )
  for (const secret of [token, caller.key_access_token]) t.notOk((stdout + stderr).includes(secret))
})

test('two Authorization headers are refused', async t => {
  const { service, caller } = await started(t)
  const basic = `Basic ${Buffer.from(`${caller.id}:${caller.key_access_token}`).toString('base64')}`
  for (const other of [basic, `Bearer ${caller.key_access_token}`]) {
    const reply = await raw(
      service.port,
      [
        'POST /introspect HTTP/1.1',
        'Host: localhost',
        `Authorization: ${basic}`,
        `Authorization: ${other}`,
        `Content-Type: ${FORM}`,
        'Content-Length: 7',
        'Connection: close',
        '',
        'token=x'
      ].join('\r\n')
    )
    t.match(reply, 'HTTP/1.1 401')
    t.match(reply, 'INVALID_TOKEN')
  }
})
