import { test } from 'tap'
import { command, terminal } from './terminal.ts'

const LOST = /^The output could not be written, and what it held is lost\. /

test('a token or a password that could not be written is a failure, which says what to do', async t => {
  const { env, issue } = terminal(t)
  const { id } = await issue('a')
  const runs: [name: string, args: string[], hint: RegExp][] = [
    ['key:issue', ['--name', 'b'], /The key is live without it\. Rotate it: trivial key rotate [0-9a-f-]{36}\n$/],
    ['key:issue', ['--name', 'c', '--json'], /The key is live without it\. Rotate it: trivial key rotate /],
    ['key:issue', [], /Issue another key\./],
    ['key:rotate', [id], /Rotate the key once more: trivial key rotate /],
    [
      'user:create',
      ['--email', 'ada@example.com', '--name', 'Ada'],
      /The user is made\. Set a password: PATCH \/users\/1/
    ]
  ]
  for (const [name, args, hint] of runs) {
    const { code, stdout, stderr } = await command(t, name, { args, env, isFull: true })
    t.same([code, stdout], [1, ''], name)
    t.match(stderr, LOST)
    t.match(stderr, hint)
  }
})

test('a list whose reader has gone is no failure', async t => {
  const { env } = terminal(t)
  t.match(await command(t, 'key:list', { env, isFull: true }), { code: 0, stderr: '' })
})
