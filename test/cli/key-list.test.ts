import { test } from 'tap'
import { at, operator } from '../helper.ts'
import { terminal } from './terminal.ts'

test('lists and advice are readable in every case', async t => {
  const { cli, registry, key, database } = terminal(t)
  t.match((await cli('key:list', [], '', { CLIENT_KEYS: '' })).stdout, 'There are no client keys')
  const keys = await registry()
  const { key: managed } = await keys.issue({ name: 'gone', metadata: { a: 1 } }, operator)
  const { key: silent } = await keys.issue({ name: 'silent' }, operator)
  await keys.revoke(managed.id, 'a leak', operator)
  await keys.revoke(silent.id, null, operator)
  t.match((await cli('key:show', [managed.id])).stdout, /revoked +\d{4}.* a leak\n/)
  t.match((await cli('key:show', [silent.id])).stdout, /revoked +\d{4}-\S+Z\n/)
  t.match((await cli('key:list', ['--all'])).stdout, /gone +revoked/)

  const { id: environmentId } = at(
    (await keys.list({}, { limit: 10 })).keys.filter(({ source }) => source === 'environment')
  )
  t.match((await cli('key:show', [environmentId])).stdout, /created +-\n/)
  const count = database().prepare('insert into client_key_usage values (?, ?, ?, ?, ?)')
  const day = new Date().toISOString().slice(0, 10)
  for (const id of [managed.id, environmentId]) {
    count.run(id, day, 'scope', 'apps:read', 3)
    count.run(id, day, 'address', '10.0.0.1', 3)
  }
  database()
    .prepare("insert into environment_key_uses values (?, '00000000', ?, '10.0.0.1', null, 3)")
    .run(environmentId, `${day}T00:00:00.000Z`)
  t.match((await cli('key:show', [environmentId])).stdout, /\n- +00000000 +- +- +\S+Z +10\.0\.0\.1 +- +3\n/)
  t.match((await cli('key:secrets')).stdout, /^env_\w+ +00000000 +not configured +\S+Z$/m)
  database().prepare('update client_key_tokens set revoked_at = created_at').run()
  t.match((await cli('key:show', [managed.id])).stdout, /\n….{4} +\w{8} +\S+Z +revoked +never/)
  for (let i = 0; i < 101; i++) await keys.issue({ name: `one of many ${i}` }, operator)
  t.match((await cli('key:list')).stdout, 'one of many 100')

  const ofManaged = await cli('key:advise', [managed.id])
  t.match(ofManaged.stdout, /3 requests of gone were accepted/)
  t.match(ofManaged.stdout, `PATCH /client_keys/${managed.id}`)
  count.run(environmentId, day, 'address', '*', 5)
  const ofEnvironment = await cli('key:advise', [environmentId, '--days', '1'])
  t.match(ofEnvironment.stdout, 'too many addresses')
  t.match(ofEnvironment.stdout, 'Issue a managed key')
  t.notMatch(ofEnvironment.stdout, 'allowed_ips')
  t.match(await cli('key:advise', [environmentId, '--days', '91']), { code: 2, stderr: /--days must be/ })
  t.notMatch(ofEnvironment.stdout, key.keyId)
})
