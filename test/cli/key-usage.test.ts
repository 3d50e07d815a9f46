import { test } from 'tap'
import { at, operator } from '../helper.ts'
import { terminal } from './terminal.ts'

const DAY_MS = 86_400_000

test("key:usage shows a key's usage per day, with the most frequent entries first", async t => {
  const { cli, registry, database } = terminal(t)
  const keys = await registry()
  const { key, keyAccessToken } = await keys.issue({ name: 'billing-sync' }, operator)
  const environmentKey = at((await keys.list({ namePrefix: 'env_' }, { limit: 1 })).keys)
  const count = database().prepare('insert into client_key_usage values (?, ?, ?, ?, ?)')
  const [today, yesterday] = [0, 1].map(days => new Date(Date.now() - days * DAY_MS).toISOString().slice(0, 10))
  count.run(key.id, yesterday, 'refusal', 'insufficient_scope', 2)
  for (const [kind, label, number] of [
    ['scope', 'apps:read', 7],
    ['scope', 'audits:read', 110],
    ['refusal', 'rate_limited', 4],
    ['address', '10.0.0.1', 1],
    ['address', '10.0.0.2', 90],
    ['address', '10.0.0.3', 3],
    ['address', '10.0.0.4', 5],
    ['address', '10.0.0.5', 2],
    ['address', '*', 16]
  ]) {
    count.run(key.id, today, kind, label, number)
  }
  const { code, stdout } = await cli('key:usage', ['billing-sync'])
  t.equal(code, 0)
  t.same(
    stdout
      .trim()
      .split('\n')
      .map(line => line.split(/ {2,}/)),
    [
      ['DAY', 'ACCEPTED', 'SCOPES', 'REFUSED', 'REASONS', 'ADDRESSES'],
      [yesterday, '0', '-', '2', 'insufficient_scope 2', '-'],
      [
        today,
        '117',
        'audits:read 110, apps:read 7',
        '4',
        'rate_limited 4',
        '10.0.0.2 90, 10.0.0.4 5, 10.0.0.3 3, 2 more, others 16'
      ]
    ]
  )
  const json = await cli('key:usage', ['-', '--days', '1', '--json'], keyAccessToken)
  t.match(JSON.parse(json.stdout), {
    client_key_id: key.id,
    days: [{ day: today, requests: { 'apps:read': 7 }, refusals: { rate_limited: 4 }, addresses: { '*': 16 } }]
  })
  t.notMatch(json.stdout, yesterday)
  t.match(await cli('key:usage', [environmentKey.id]), {
    code: 0,
    stdout: /^No use of env_\w+ was recorded in this period/
  })
  t.match(await cli('key:usage', ['nobody']), { code: 1, stdout: '', stderr: /^There is no client key/ })
})
