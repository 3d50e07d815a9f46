import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'tap'
import type { Test } from 'tap'
import { createServer } from '../../app.ts'
import { generationOf } from '../../domain/keys/token/token.ts'
import { newSecret, settings, temporaryFolder } from '../helper.ts'
import { emptyPostgres } from '../postgres.ts'
import { command, terminal } from './terminal.ts'

const REFUSED = 'CLIENT_SECRET: no token was created, because the service would refuse it. '

/** Creates a database that a service has used, and a command line that can use another secret. */
const world = async (t: Test) => {
  const made = terminal(t, { CLIENT_KEYS: '' })
  await (await createServer(made.env)).close()
  const { id } = await made.issue('a')
  const show = async () =>
    JSON.parse((await made.cli('key:show', [id, '--json'])).stdout) as { enabled: boolean; tokens: unknown[] }
  return { ...made, id, show }
}

test('a command with a different secret than the service creates no token and changes nothing', async t => {
  const { secret, cli, show } = await world(t)
  const other = newSecret()
  const out = join(temporaryFolder(t), 'tokens.txt')
  const before = await show()
  // A command with a future secret is refused too, because the service doesn't have that secret yet.
  for (const CLIENT_SECRET_PREVIOUS of ['', secret]) {
    for (const [name, ...args] of [
      ['key:issue', '--name', 'b'],
      ['key:rotate', 'a', '--grace', '0s'],
      ['key:rotate', '--generation', generationOf(secret), '--out', out]
    ] as const) {
      const ended = await cli(name, args, '', { CLIENT_SECRET: other, CLIENT_SECRET_PREVIOUS })
      t.same([ended.code, ended.stdout], [1, ''])
      t.match(
        ended.stderr,
        `${REFUSED}The secret's generation is ${generationOf(other)}, but the generations in use are ` +
          `${generationOf(secret)}. Run the command with the CLIENT_SECRET of the service. To replace that secret, ` +
          'start the service with the new one first.\n'
      )
      t.notOk([secret, other].some(one => ended.stderr.includes(one)))
    }
  }
  t.same(await show(), before)
  t.notOk(existsSync(out))
  t.equal((JSON.parse((await cli('key:list', ['--json'])).stdout) as unknown[]).length, 1)
})

test("commands that create no token do not need the service's secret", async t => {
  const { cli, show, id } = await world(t)
  const other = { CLIENT_SECRET: newSecret() }
  for (const [name, ...args] of [
    ['key:list'],
    ['key:show', 'a'],
    ['key:usage', 'a'],
    ['key:secrets'],
    ['key:change', 'a', '--description', 'in doubt'],
    ['key:disable', 'a'],
    ['key:revoke', id]
  ] as const) {
    t.match(await cli(name, args, '', other), { code: 0, stderr: '' }, name)
  }
  t.match(await show(), { enabled: false, revoked_at: String })
})

test('commands can use a new secret after a service has been started with it', async t => {
  const { env, secret, cli } = await world(t)
  const next = newSecret()
  const both = { CLIENT_SECRET: next, CLIENT_SECRET_PREVIOUS: secret }
  t.match(await cli('key:rotate', ['a'], '', both), { code: 1, stderr: REFUSED })
  await (await createServer({ ...env, ...both })).close()
  const out = join(temporaryFolder(t), 'tokens.txt')
  t.match(await cli('key:rotate', ['--generation', generationOf(secret), '--out', out], '', both), { code: 0 })
  t.match(readFileSync(out, 'utf8'), /^\{"id":.*,"name":"a","key_access_token":"tck_\w+"\}\n$/)
})

test('a key can be issued before the service first starts, and the service must then use the same secret', async t => {
  const { env, issue, cli } = terminal(t)
  await issue('a')
  await t.rejects(createServer({ ...env, CLIENT_SECRET: newSecret() }), /in use with other secrets/)
  t.match(await cli('key:issue', ['--name', 'b'], '', { CLIENT_SECRET: newSecret() }), { code: 1, stderr: REFUSED })
  await (await createServer(env)).close()
})

test('trivial serve exits with 1 if its secret differs from the one in use', async t => {
  const { cli } = await world(t)
  t.match(await cli('serve', [], '', { CLIENT_SECRET: newSecret() }), {
    code: 1,
    stdout: '',
    stderr: /^CLIENT_SECRET \(set in the environment\): the database is in use with other secrets\. [^\n]+\n$/
  })
})

test('a command creates no token that a node would refuse', async t => {
  const url = await emptyPostgres()
  if (url === null) return
  const { env, secret } = settings(t, { DATABASE_URL: url, KEY_LEASE_MS: '200' })
  const [first, both] = [await createServer(env), { CLIENT_SECRET: newSecret(), CLIENT_SECRET_PREVIOUS: secret }]
  t.teardown(() => first.close())
  const issue = async (name: string, more: Record<string, string> = {}) =>
    await command(t, 'key:issue', { env: { ...env, ...more }, args: ['--name', name] })
  t.equal((await issue('a')).code, 0)
  await (await createServer({ ...env, ...both })).close()
  t.match(await issue('b', both), {
    code: 1,
    stdout: '',
    stderr: /^No token was created, because another node lacks this CLIENT_SECRET/
  })
  await first.close()
  t.match(await issue('c', both), { code: 0 })
})
