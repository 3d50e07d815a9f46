import { closeSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { test } from 'tap'
import { outputOf } from '../../cli/output.ts'
import { run } from '../../cli/program.ts'
import { collect, compiled, spawnProgram, temporaryFolder } from '../helper.ts'
import { COMMANDS, REST, typedCommands } from './every-command.ts'
import { command, terminal } from './terminal.ts'

const LOST = /^The output could not be written and is lost: ENOSPC: it failed\. /

test("if a token or a password can't be written, the command fails and explains what to do", async t => {
  const { env, issue } = terminal(t)
  const { id } = await issue('a')
  const runs: [name: string, args: string[], hint: RegExp][] = [
    [
      'key:issue',
      ['--name', 'b'],
      /The key is active nevertheless\. Rotate it to get another token: trivial key rotate [0-9a-f-]{36}\n$/
    ],
    [
      'key:issue',
      ['--name', 'c', '--json'],
      /The key is active nevertheless\. Rotate it to get another token: trivial key rotate /
    ],
    ['key:issue', [], /Issue another key\.\n$/],
    ['key:issue', ['--json'], /^[^\n]* Issue another key\.\n$/],
    ['key:rotate', [id], /Rotate the key again: trivial key rotate /],
    [
      'user:create',
      ['--email', 'ada@example.com', '--name', 'Ada'],
      /The user was created\. Set a new password: trivial user password 1 --out <file>\n$/
    ]
  ]
  for (const [name, args, hint] of runs) {
    const { code, stdout, stderr } = await command(t, name, { args, env, unwritable: 'ENOSPC' })
    t.same([code, stdout], [1, ''], name)
    t.match(stderr, LOST)
    t.match(stderr, hint)
  }
  t.match(await command(t, 'key:rotate', { args: [id], env, unwritable: 'EPIPE' }), {
    code: 1,
    stderr: /^The output could not be written and is lost: EPIPE/
  })
})

test("if its output can't be written, every command reports the error in one line and exits with 1", async t => {
  const typed = await typedCommands(t)
  // `serve` is an exception: its output is the log, and log lines are dropped if they can't be written.
  t.same([...Object.keys(typed), 'serve'].sort(), [...COMMANDS].sort(), 'the table contains every command')
  for (const [name, each] of Object.entries({ ...typed, ...REST })) {
    if (each === null) continue
    const { code, stderr } = await command(t, name, { ...each, unwritable: 'ENOSPC' })
    t.equal(code, 1, name)
    t.match(stderr.split('\n').at(-2), /^The output could not be written.*: ENOSPC: it failed\. [A-Z]/, name)
    t.notMatch(stderr, /^ +at /m, name)
  }
})

test('a closed pipe does not cause a failure', async t => {
  const { env } = terminal(t)
  for (const name of ['key:list', '--help', 'openapi']) {
    t.match(await command(t, name, { env, unwritable: 'EPIPE' }), { code: 0, stderr: '' })
  }
})

test('a file that accepts only part of the output causes a failure', async t => {
  const path = join(temporaryFolder(t), 'help.txt')
  // The file may have only one block, as on a disk that is almost full.
  const child = spawnProgram(
    ['/bin/sh', '-c', 'ulimit -f 1; exec "$0" "$@" > help.txt', process.execPath, compiled('cli/trivial.ts')].concat(
      'key',
      'issue',
      '--help'
    ),
    join(path, '..'),
    {}
  )
  t.match(await collect(child).ended, { code: 1, stderr: /^The output could not be written: EFBIG: .*\n$/ })
  t.match(readFileSync(path, 'utf8'), /^Usage: trivial key issue/)
})

test('a command writes all of its output to a file', async t => {
  const path = join(temporaryFolder(t), 'help.txt')
  const fd = openSync(path, 'w')
  const stdout = outputOf(Object.assign(new Writable(), { fd }))
  const { stdin, stderr } = process
  t.equal(await run({ args: ['--help'], env: {}, cwd: '.', stdin, stderr, stdout }), 0)
  closeSync(fd)
  t.match(readFileSync(path, 'utf8'), /^Usage: trivial <command>\n/)
  const device = openSync('/dev/null', 'w')
  const other = Object.assign(new Writable(), { fd: device })
  t.equal(outputOf(other), other)
  closeSync(device)
})
