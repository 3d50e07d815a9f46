import { test } from 'tap'
import { createKeyService } from '../../domain/keys/service.ts'
import { openStorage } from '../../db/open.ts'
import { digestOf, generationOf } from '../../domain/keys/token/token.ts'
import { newSecret, operator } from '../helper.ts'
import { terminal } from './terminal.ts'

const DAY_MS = 86_400_000
const inDays = (days: number): Date => new Date(Date.now() + days * DAY_MS)

test('key:list has the same filters as GET /client_keys', async t => {
  const { cli, registry, database } = terminal(t)
  const keys = await registry()
  const { key: old } = await keys.issue({ name: 'billing-old', scopes: ['apps:read'] }, operator)
  const { key: gone } = await keys.issue({ name: 'billing-gone', expiresAt: inDays(10) }, operator)
  await keys.revoke(gone.id, null, operator)
  await keys.issue({ name: 'mail', scopes: ['audits:read'], enabled: false, expiresAt: inDays(10) }, operator)
  database().prepare('update client_keys set created_at = ? where id = ?').run(inDays(-100).toISOString(), old.id)
  const names = async (...args: string[]): Promise<string[]> => {
    const { code, stdout } = await cli('key:list', [...args, '--json'])
    t.equal(code, 0)
    return (JSON.parse(stdout) as { name: string }[]).map(({ name }) => name.replace(/^env_.*/, 'env'))
  }
  t.same(await names(), ['billing-old', 'mail', 'env'])
  t.same(await names('--all'), ['billing-old', 'billing-gone', 'mail', 'env'])
  t.same(await names('--revoked', 'true'), ['billing-gone'])
  t.same(await names('--revoked', 'false'), ['billing-old', 'mail', 'env'])
  t.same(await names('--enabled', 'false'), ['mail'])
  t.same(await names('--enabled', 'true', '--all'), ['billing-old', 'billing-gone', 'env'])
  t.same(await names('--name', 'billing'), ['billing-old'])
  t.same(await names('--scope', 'audits:read'), ['mail', 'env'])
  t.same(await names('--expires-before', '14d', '--all'), ['billing-gone', 'mail'])
  t.same(await names('--expires-before', inDays(11).toISOString().slice(0, 10)), ['mail'])
  t.same(await names('--expires-before', '9d'), [])
  t.same(await names('--unused-since', '90d', '--name', 'b'), ['billing-old'])
  t.match(await cli('key:list', ['--name', 'nobody']), { code: 0, stdout: 'No client key matches.\n' })
})

test('key:list --generation lists keys with an active token of that generation, but no environment keys', async t => {
  const { cli, registry, secret, env } = terminal(t)
  const storage = await openStorage(env['DATABASE_URL'])
  t.teardown(storage.close)
  const previous = newSecret()
  const earlier = createKeyService({ store: storage.keys, secret: previous })
  const [both, expired] = [
    await earlier.issue({ name: 'both' }, operator),
    await earlier.issue({ name: 'expired' }, operator)
  ]
  await earlier.issue({ name: 'old' }, operator)
  await earlier.revoke((await earlier.issue({ name: 'revoked' }, operator)).key.id, null, operator)
  await (await registry()).rotate(both.key.id, { graceSeconds: 60 }, operator)
  await (await registry()).rotate(expired.key.id, { graceSeconds: 0 }, operator)
  const names = async (generation: string): Promise<string[]> => {
    const { stdout } = await cli('key:list', ['--generation', generation, '--all', '--json'])
    return (JSON.parse(stdout) as { name: string }[]).map(({ name }) => name)
  }
  t.same(await names(generationOf(previous)), ['both', 'old'])
  t.same(await names(generationOf(secret)), ['both', 'expired'])
  t.same(await names('00000000'), [])
})

test('key:list --expiring lists keys that expire within a period, and its exit code shows whether there are any', async t => {
  const { cli, registry } = terminal(t)
  const keys = await registry()
  t.match(await cli('key:list', ['--expiring', '14d']), { code: 0, stdout: 'No client key matches.\n' })
  await keys.issue({ name: 'a', expiresAt: inDays(10) }, operator)
  await keys.issue({ name: 'b', expiresAt: inDays(20) }, operator)
  const { key: past } = await keys.issue({ name: 'past', expiresAt: inDays(1) }, operator)
  await keys.change(past.id, { expiresAt: inDays(-1) }, operator)
  t.match(await cli('key:list', ['--expiring', '9d', '--json']), { code: 0, stdout: '[]\n' })
  const table = await cli('key:list', ['--expiring', '14d'])
  t.match(table, { code: 1, stdout: /^ID .*\n\S+ +a +active [^\n]*\n$/, stderr: '' })
  const json = await cli('key:list', ['--expiring', '3w', '--json'])
  t.equal(json.code, 1)
  t.match(JSON.parse(json.stdout), [{ name: 'a' }, { name: 'b' }])
  t.match(await cli('key:list', ['--expiring', '3w', '--name', 'b']), { code: 1, stdout: /^ID .*\n\S+ +b +active/ })
})

test("an environment key's digest is shown only if its key_id can't be guessed", async t => {
  const { cli, key, registry } = terminal(t)
  await (await registry()).issue({ name: 'managed' }, operator)
  const withWord = { CLIENT_KEY_JWT: 'true', CLIENT_KEYS: `${key.keyId},a-word,sha256:${digestOf('other')}` }
  const { stdout } = await cli('key:list', ['--json'], '', withWord)
  const listed = JSON.parse(stdout) as { id: string; digest?: string }[]
  t.same(
    new Set(listed.map(({ digest }) => digest)),
    new Set([undefined, `sha256:${digestOf(key.keyId)}`, `sha256:${digestOf('other')}`])
  )
  t.equal(listed.length, 4)
  for (const { id, digest } of listed) {
    const shown = JSON.parse((await cli('key:show', [id, '--json'], '', withWord)).stdout)
    t.equal(shown.digest, digest)
    t.ok(Array.isArray(shown.tokens))
  }
  t.notMatch(stdout, key.keyId)
  t.notMatch(stdout, digestOf('a-word'))
})
