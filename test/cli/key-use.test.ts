import { test } from 'tap'
import { generationOf } from '../../domain/keys/token/token.ts'
import { start } from '../http/service.ts'
import { live, statusOf, stop } from './live.ts'

test("a key's usage is shown, and a policy is recommended", async t => {
  const { service, cli, issue, get } = await live(t)
  const { id, key_access_token: token } = await issue('billing-sync')
  await issue('idle')
  t.same([await get(token), await get(token), await get(token, '/audits')], [200, 200, 200])
  await stop(service)

  const [json, table, list, advice, text, idle, days] = await Promise.all([
    cli('key:show', [id, '--json']),
    cli('key:show', ['-'], token),
    cli('key:list'),
    cli('key:advise', ['billing-sync', '--json']),
    cli('key:advise', ['-', '--days', '1'], token),
    cli('key:advise', ['idle']),
    cli('key:advise', [id, '--days', '91'])
  ])
  const shown = JSON.parse(json.stdout)
  t.match(shown, {
    last_used_at: /^20/,
    tokens: [
      { last_used_at: shown.last_used_at, last_used_ip: '127.0.0.1', last_used_agent: 'billing-sync/2.1', use_count: 3 }
    ]
  })
  t.equal(shown.tokens[0].hint, token.slice(-4))
  t.match(
    table.stdout,
    new RegExp(`^…${token.slice(-4)} +${generationOf(service.secret)} .* 127\\.0\\.0\\.1 +billing-sync/2\\.1 +3$`, 'm')
  )
  t.match(list.stdout, new RegExp(`^${id} +billing-sync +active +\\* +never +20\\S+Z$`, 'm'))
  t.equal(advice.code, 0)
  t.strictSame(JSON.parse(advice.stdout), { scopes: ['apps:read', 'audits:read'], allowed_ips: ['127.0.0.1'] })
  t.match(text, { code: 0, stdout: new RegExp(`^3 requests with billing-sync .*PATCH /client_keys/${id}`, 's') })
  t.match(idle, {
    code: 1,
    stdout: '',
    stderr: 'No use of idle was recorded in this period, so no policy can be suggested.\n'
  })
  t.match(days, { code: 2, stdout: '', stderr: /^--days must be a number from 1 to 90\.$/m })

  const again = await start(t, {
    DATABASE_URL: service.env['DATABASE_URL'],
    CLIENT_SECRET: service.secret,
    CLIENT_KEYS: service.key.keyId
  })
  const patched = await fetch(`http://127.0.0.1:${again.port}/client_keys/${id}`, {
    method: 'PATCH',
    headers: { ...service.headers, 'content-type': 'application/json' },
    body: advice.stdout
  })
  t.equal(patched.status, 200, 'the recommendation is a valid body for PATCH')
  t.same(
    [
      await statusOf(again.port, token),
      await statusOf(again.port, token, '/audits'),
      await statusOf(again.port, token, '/client_keys')
    ],
    [200, 200, 403]
  )
})
