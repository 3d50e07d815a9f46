import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'tap'
import { createTokenSealer, digestOf } from '../../keys/token.ts'
import { newSecret, run, temporaryFolder } from '../helper.ts'

test('key:issue --json prints exactly key_id and key_access_token on standard output', async t => {
  const secret = newSecret()
  const { code, stdout, stderr } = await run(t, 'cli/key-issue.ts', { args: ['--json'], env: { CLIENT_SECRET: secret } }).ended
  t.equal(code, 0)
  const issued = JSON.parse(stdout)
  t.strictSame(Object.keys(issued), ['key_id', 'key_access_token'])
  t.match(issued.key_id, /^[0-9a-f]{32}$/)
  t.match(createTokenSealer(secret).open(issued.key_access_token), { ok: true, keyId: issued.key_id })
  t.match(stderr, `CLIENT_KEYS=sha256:${digestOf(issued.key_id)}`)
  t.notMatch(stderr, issued.key_id)
  t.notMatch(stderr, issued.key_access_token)
})

test('key:issue tells people what to do with the key, and needs nothing but CLIENT_SECRET', async t => {
  const folder = temporaryFolder(t)
  const secret = newSecret()
  writeFileSync(join(folder, '.env'), `CLIENT_SECRET=${secret}\nPORT=not a port\n`)
  const { code, stdout, stderr } = await run(t, 'cli/key-issue.ts', { cwd: folder }).ended
  t.equal(code, 0)
  t.equal(stderr, '')
  const keyId = /key_id +([0-9a-f]{32})\n/.exec(stdout)?.[1] ?? ''
  const token = /key_access_token +(tck_\w{72})\n/.exec(stdout)?.[1] ?? ''
  t.match(createTokenSealer(secret).open(token), { ok: true, keyId })
  t.match(stdout, `CLIENT_KEYS=${keyId}\n`)
  t.match(stdout, `CLIENT_KEYS=sha256:${digestOf(keyId)}\n`)
  t.match(stdout, /Neither of these can be shown again/)
  t.match(stdout, /a restart makes an environment key live/)
})

test('without CLIENT_SECRET, key:issue says what the server says', async t => {
  for (const [env, complaint] of [
    [{}, 'CLIENT_SECRET is not set. Make one with: openssl rand -hex 32'],
    [{ CLIENT_SECRET: 'short' }, 'CLIENT_SECRET is too short: 32 characters at least. Make one with: openssl rand -hex 32']
  ] as [Record<string, string>, string][]) {
    const issue = await run(t, 'cli/key-issue.ts', { env, args: ['--json'] }).ended
    const server = await run(t, 'server.ts', { env }).ended
    t.same([issue.code, issue.stdout, issue.stderr], [1, '', `The configuration can't be used. Mend these variables in the environment or in .env:\n  ${complaint}\n`])
    t.equal(server.stderr, issue.stderr)
  }
})

test('--help helps, and bad usage is exit code 2 without repeating what was typed', async t => {
  const names = [
    'key:issue', 'key:list', 'key:show', 'key:change', 'key:rotate', 'key:disable', 'key:enable', 'key:revoke', 'key:inspect', 'key:secrets',
    'key:advise', 'audit:verify', 'db:migrate', 'db:sample', 'openapi', 'quickstart'
  ]
  for (const name of names) {
    const script = `cli/${name.replace(':', '-')}.ts`
    const [help, bad] = await Promise.all([run(t, script, { args: ['--help'] }).ended, run(t, script, { args: ['--tck_secret'] }).ended])
    t.match(help, { code: 0, stderr: '' })
    t.match(help.stdout, new RegExp(`^npm run (--silent )?${name}`))
    t.same([bad.code, bad.stdout], [2, ''], name)
    t.equal(bad.stderr, `There is no such option.\n\n${help.stdout}`)
  }
  t.match(await run(t, 'cli/key-issue.ts', { args: ['-h'] }).ended, { code: 0, stdout: /^npm run key:issue/ })
  const misused = await Promise.all([['tck_secret'], ['--help=tck_secret'], ['--json=tck_secret']].map(args => run(t, 'cli/key-issue.ts', { args }).ended))
  for (const { code, stdout, stderr } of misused) {
    t.same([code, stdout], [2, ''])
    t.match(stderr, 'npm run key:issue')
    t.notMatch(stderr, 'tck_secret')
  }
})
