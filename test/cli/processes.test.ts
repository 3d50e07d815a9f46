import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { test } from 'tap'
import { settings } from '../helper.ts'
import { live } from './live.ts'
import { spawned } from './process.ts'
import type { Issued } from './terminal.ts'

test('a process exits with 0 after success, 1 after a refusal and 2 after incorrect usage', async t => {
  const { env } = settings(t)
  const ended = await Promise.all([
    spawned(t, 'key:list', { env, args: ['--json'] }).ended,
    spawned(t, 'key:show', { env, args: ['nobody'] }).ended,
    spawned(t, 'key:show', { env }).ended,
    spawned(t, '--help', { env }).ended,
    spawned(t, 'key:none', { env }).ended,
    spawned(t, '', { env }).ended
  ])
  t.same(
    ended.map(({ code }) => code),
    [0, 1, 2, 0, 2, 2]
  )
  t.match(ended[0].stdout, '"source": "environment"')
  t.match(ended[1], { stdout: '', stderr: /^There is no client key/ })
  t.match(ended[3], { stdout: /^Usage: trivial <command>\n/, stderr: '' })
})

test('a change made by a command in another process takes effect in the next request to a running server', async t => {
  const { service, get } = await live(t)
  const cli = async (name: string, args: string[], input = '') =>
    await spawned(t, name, { env: service.env, args, input }).ended
  const issued = await cli('key:issue', ['--name', 'billing-sync', '--json'])
  const { key_access_token: token } = JSON.parse(issued.stdout) as Issued
  t.equal(await get(token), 200)
  t.match(await cli('key:disable', ['-'], `${token}\n`), { code: 0, stderr: '' })
  t.equal(await get(token), 401)
  t.match(await cli('key:enable', ['billing-sync']), { code: 0, stderr: '' })
  t.equal(await get(token), 200)
})

test('a token on standard input does not appear in the arguments, which other users of the machine can see', async t => {
  const { env, key } = settings(t)
  const { process: child, ended } = spawned(t, 'key:show', { env, args: ['-'], input: key.keyAccessToken })
  await once(child, 'spawn')
  const seen = readFileSync(`/proc/${String(child.pid)}/cmdline`, 'utf8').split('\0')
  t.match(seen.at(-2), '-')
  t.notOk(seen.some(argument => argument.includes(key.keyAccessToken)))
  t.match(await ended, { code: 0, stdout: /source +environment/ })
})

test('a reader that stops before the end of the output does not cause a failure', async t => {
  const { env } = settings(t)
  const { process: child, ended } = spawned(t, 'openapi', { env })
  child.stdout.destroy()
  t.match(await ended, { code: 0, stderr: '' })
})
