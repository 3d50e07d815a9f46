import { userInfo } from 'node:os'
import { test } from 'tap'
import { at, operator } from '../helper.ts'
import { terminal } from './terminal.ts'

test('each change prints its result (as JSON with --json), and is audited as made by cli and the operating system user', async t => {
  const { cli, issue, database } = terminal(t, { CLIENT_KEYS: '' })
  const { id } = await issue('a')
  const json = async (command: string, ...args: string[]): Promise<ReturnType<typeof JSON.parse>> =>
    JSON.parse((await cli(command, [...args, '--json'])).stdout)
  t.match(await json('key:change', 'a', '--name', 'b', '--scope', 'apps:read'), {
    id,
    name: 'b',
    scopes: ['apps:read']
  })
  t.match(
    (await cli('key:change', ['b', '--allow-ip', '::1', '--rate', '1/1d'])).stdout,
    /^The client key was changed, .*name +b\n.*allowed_ips +::1\nrate_limit +1\/86400s\n\nReceipt \d+-[-0-9a-f]{36}: the change has applied to every request since \S+Z\.\n$/s
  )
  t.match(await json('key:disable', 'b'), { id, enabled: false })
  t.match(
    (await cli('key:list')).stdout,
    new RegExp(`^ID +NAME +STATE +SCOPES +EXPIRES +LAST USED\n${id} +b +disabled +apps:read +never +never\n$`)
  )
  t.match(await json('key:enable', id), { id, enabled: true })
  const rotated = await json('key:rotate', 'b')
  t.match(rotated, {
    id,
    key_id: /^[0-9a-f]{32}$/,
    key_access_token: /^tck_\w{72}$/,
    older_tokens: [{ hint: String, expires_at: /^20/, last_used_at: null }]
  })
  const text = (await cli('key:rotate', ['b', '--grace', '0s'])).stdout
  t.match(text, /key_id +[0-9a-f]{32}\n {2}key_access_token +tck_\w{72}\n/)
  t.match(text, new RegExp(`^…${rotated.key_access_token.slice(-4)} +[0-9a-f]{8} +20\\S+Z +revoked +never`, 'm'))
  t.match(await json('key:revoke', 'b', '--reason', 'The laptop was stolen'), {
    id,
    revoked_at: /^20/,
    revoked_reason: 'The laptop was stolen'
  })
  t.match(await json('audit:verify'), { whole: true, head: { sequence: 8, hash: /^[0-9a-f]{64}$/ } })

  const { uid, username } = userInfo()
  const entries = database().prepare('select * from audits order by sequence').all() as {
    action: string
    changes: string
  }[]
  for (const entry of entries) {
    t.match(entry, {
      actor_kind: 'cli',
      actor_id: String(uid),
      actor_name: username,
      address: null,
      request_id: null,
      subject_type: 'client_key',
      subject_id: id
    })
  }
  t.same(
    entries.map(({ action }) => action),
    ['issue', 'change', 'change', 'change', 'change', 'rotate', 'rotate', 'revoke'].map(verb => `client_key.${verb}`)
  )
  t.match(JSON.parse(at(entries, 1).changes), {
    name: { from: 'a', to: 'b' },
    scopes: { from: ['*'], to: ['apps:read'] }
  })
  t.same(
    entries.slice(3, 5).map(({ changes }) => JSON.parse(changes)),
    [{ enabled: { from: true, to: false } }, { enabled: { from: false, to: true } }]
  )
  t.match(entries[7]?.changes, 'The laptop was stolen')
})

test("a key that is revoked again keeps its first reason, can't be changed, and can be found only by its id", async t => {
  const { cli, registry } = terminal(t)
  const keys = await registry()
  const {
    key: { id },
    keyAccessToken
  } = await keys.issue({ name: 'a' }, operator)
  await keys.revoke(id, 'first', operator)
  const [again, rotated, enabled, named, shown] = await Promise.all([
    cli('key:revoke', ['-', '--reason', 'second', '--json'], keyAccessToken),
    cli('key:rotate', [id]),
    cli('key:enable', [id]),
    cli('key:show', ['a']),
    cli('key:show', [id])
  ])
  t.match(JSON.parse(again.stdout), { id, revoked_reason: 'first' })
  for (const ended of [rotated, enabled]) {
    t.match(ended, { code: 1, stdout: '', stderr: /^The client key has been permanently revoked/ })
  }
  t.match(named, { code: 1, stdout: '', stderr: /^There is no client key/ })
  t.match(shown, { code: 0, stdout: /^state +revoked\n.*^revoked +20\S+Z first$/ms })
})

test('a key is found by its id, even if another key has that id as its name', async t => {
  const { cli, issue } = terminal(t)
  const first = await issue('first')
  const second = await issue(first.id)
  const shown = async (key: string): Promise<unknown> => JSON.parse((await cli('key:show', [key, '--json'])).stdout)
  t.match(await shown(first.id), { id: first.id, name: 'first' })
  t.match(await shown(second.id), { id: second.id, name: first.id })
  t.equal((await cli('key:disable', [first.id])).code, 0)
  t.match(await shown('first'), { id: first.id, enabled: false })
  t.equal((await cli('key:revoke', [first.id])).code, 0)
  t.match(await shown(first.id), { name: 'first', revoked_at: /^20/ }, 'the key is found even if it has been revoked')
  t.match(await shown(second.id), { enabled: true, revoked_at: null })
})
