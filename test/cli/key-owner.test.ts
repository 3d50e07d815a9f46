import { test } from 'tap'
import { operator } from '../helper.ts'
import { terminal } from './terminal.ts'

test('the keys of an owner are issued, changed, listed, shown, and revoked together', async t => {
  const { cli, registry } = terminal(t)
  const json = async <T>(...args: Parameters<typeof cli>): Promise<T> => JSON.parse((await cli(...args)).stdout) as T
  const { id } = await json<{ id: string }>('key:issue', ['--name', 'one', '--owner', 'customer:4711', '--json'])
  t.match(await cli('key:issue', ['--name', 'two', '--owner', 'customer:4711']), { stdout: /owner +customer:4711\n/ })
  await cli('key:issue', ['--name', 'three'])
  t.match(await cli('key:show', ['one']), { stdout: /owner +customer:4711\n/ })
  t.notMatch(await cli('key:show', ['three']), { stdout: /owner/ })
  const listed = async (...args: string[]): Promise<string[]> =>
    (await json<{ name: string }[]>('key:list', [...args, '--json'])).map(({ name }) => name)
  t.same(await listed('--owner', 'customer:4711'), ['one', 'two'])
  t.match(await json('key:change', ['two', '--owner', 'none', '--json']), { owner: null })
  t.same(await listed('--owner', 'customer:4711'), ['one'])
  t.match(await cli('key:change', ['two', '--owner', 'customer:4711']), { stdout: /owner +customer:4711\n/ })

  t.match(await cli('key:usage', ['--owner', 'customer:4711']), {
    code: 0,
    stdout: /^No use of a key of customer:4711/
  })
  t.match(await json('key:usage', ['--owner', 'customer:4711', '--json']), { owner: 'customer:4711', days: [] })

  t.match(await cli('key:revoke', ['--owner', 'customer:4711', '--reason', 'left']), {
    code: 0,
    stdout: /^Client keys of customer:4711 that were revoked: 2\.\nReceipt \d+-/
  })
  t.match(await json('key:revoke', ['--owner', 'customer:4711', '--json']), {
    owner: 'customer:4711',
    keys: 0,
    receipt: { nodes: 0 }
  })
  t.match(await (await registry()).find(id), { revokedReason: 'left' })
  t.match(await cli('audit:list', ['--subject-type', 'client_key_owner']), { stdout: /client_key\.revoke_owner/ })
})

test('the usage of the keys of an owner is shown by day', async t => {
  const { cli, registry, database } = terminal(t)
  const keys = await registry()
  const count = database().prepare('insert into client_key_usage values (?, ?, ?, ?, ?)')
  const day = new Date().toISOString().slice(0, 10)
  for (const name of ['one', 'two']) {
    const { key } = await keys.issue({ name, owner: 'one' }, operator)
    count.run(key.id, day, 'scope', 'apps:read', 3)
    count.run(key.id, day, 'address', name, 4)
    count.run(key.id, day, 'refusal', 'key_disabled', 1)
  }
  t.match(
    (await cli('key:usage', ['--owner', 'one', '--days', '1'])).stdout,
    /\S+ +8 +apps:read 6 +2 +key_disabled 2\n/
  )
})

test('a command acts on one key or on one owner', async t => {
  const { cli } = terminal(t)
  for (const name of ['key:revoke', 'key:usage']) {
    t.match(await cli(name, []), { code: 2, stderr: /^Specify one key: .* Or specify an --owner\.\n/ })
    t.match(await cli(name, ['a', '--owner', 'b']), { code: 2, stderr: /^Specify either one key, or an --owner\.\n/ })
    t.match(await cli(name, ['--owner', ' ']), { code: 2, stderr: /^--owner must/ })
  }
  t.match(await cli('key:list', ['--owner', 'x'.repeat(256)]), { code: 2, stderr: /^--owner must/ })
})
