import { test } from 'tap'
import { at, operator } from '../helper.ts'
import { terminal } from './terminal.ts'

test('a refusal or a missing resource causes exit code 1 and one sentence per issue', async t => {
  const { cli, registry } = terminal(t, { CLIENT_KEYS: '' })
  await (await registry()).issue({ name: 'a' }, operator)
  const runs: [issues: string[], command: string, ...args: string[]][] = [
    [['An unrevoked client key already has this name'], 'key:issue', '--name', 'a'],
    [['There is no token on standard input'], 'key:inspect'],
    [['There is no token on standard input'], 'key:revoke', '-'],
    ...['key:show', 'key:disable', 'key:advise'].map((command): [string[], string, string] => [
      ['There is no client key'],
      command,
      'nobody'
    ])
  ]
  const ended = await Promise.all(runs.map(([, command, ...args]) => cli(command, args)))
  for (const [i, [issues, command, ...args]] of runs.entries()) {
    const { code, stdout, stderr } = at(ended, i)
    t.same([code, stdout], [1, ''], `${command} ${args.join(' ')}`)
    const lines = stderr.trim().split('\n')
    t.equal(lines.length, issues.length, 'neither a stack trace nor help is printed')
    for (const issue of issues) {
      t.ok(
        lines.some(line => line.startsWith(issue)),
        issue
      )
    }
  }
  t.match(await cli('key:revoke', ['-'], 'tck_x'), {
    code: 1,
    stdout: '',
    stderr: /^No client key of this service has this token\. To find out why, run: trivial key inspect\n$/
  })
  const ranges = ['10.0.0.0/33', '::1', '300.0.0.1', '10.0.0.1/8'].flatMap(range => ['--allow-ip', range])
  t.same(await cli('key:change', ['a', '--name', ' ', '--metadata', '[1]', ...ranges.slice(0, 2)]), {
    code: 2,
    stdout: '',
    stderr: `--name must be well-formed text with at least one visible character and no control characters
--metadata must be an object
See: trivial key change --help
`
  })
  const refused = await cli('key:change', ['a', ...ranges])
  t.same([refused.code, refused.stdout], [2, ''])
  t.match(refused.stderr.split('\n'), [
    /^--allow-ip number 1 is not an IP address or CIDR range/,
    /^--allow-ip number 3 is no/,
    '--allow-ip number 4 has host bits: write 10.0.0.0/8 for the range, or 10.0.0.1 for the single address',
    'See: trivial key change --help',
    ''
  ])
  t.match(
    JSON.parse((await cli('key:list', ['--json'])).stdout),
    [{ name: 'a', allowed_ips: [], revoked_at: null }],
    'nothing was created or changed'
  )
})

test('a locked database, a missing database and too much input are each reported in one sentence', async t => {
  const { cli, registry, database } = terminal(t)
  await (await registry()).issue({ name: 'k' }, operator)
  const holder = database()
  holder.exec('begin immediate')
  t.match(await cli('key:disable', ['k']), {
    code: 1,
    stdout: '',
    stderr: 'The database is unavailable. Reason: database is locked (SQLITE_BUSY). Nothing was changed. Try again.\n'
  })
  holder.exec('rollback')
  t.match(await cli('audit:verify', [], '', { DATABASE_URL: 'file:nowhere/none.db' }), {
    code: 1,
    stderr: /^There is no database file:nowhere/
  })
  t.match(await cli('key:inspect', [], 'x'.repeat(200_000)), {
    code: 1,
    stderr: 'Standard input is too long: the maximum is 65536 bytes.\n'
  })
})

test('invalid UTF-8 is rejected on standard input and in arguments, and nothing is created', async t => {
  const { cli } = terminal(t, { CLIENT_KEYS: '' })
  const user = ['--email', 'ada@example.org', '--name', 'Ada']
  t.match(await cli('user:create', user, Buffer.from('violet tractor caf\xe9', 'latin1')), {
    code: 1,
    stdout: '',
    stderr: 'Standard input contains bytes that are not UTF-8. Send UTF-8 text.\n'
  })
  t.match(
    await cli('user:create', user, Buffer.from('\ufeffviolet tractor café')),
    { code: 0 },
    'the refused command did not create the user'
  )
  // Node.js replaces each byte of an argument that isn't UTF-8 with U+FFFD.
  for (const [name, ...args] of [
    ['key:issue', '--name', 'caf\ufffd'],
    ['key:issue', '--name=x', '--description=caf\ufffd'],
    ['key:issue', '--name=x', '--metadata', '{"a":"caf\ufffd"}'],
    ['key:show', 'caf\ufffd'],
    ['key:list', '--\ufffd']
  ] as const) {
    const { code, stdout, stderr } = await cli(name, args)
    t.same([code, stdout], [2, ''], name)
    t.match(stderr, /^An argument contains bytes that are not UTF-8\. /)
  }
  t.same(JSON.parse((await cli('key:list', ['--all', '--json'])).stdout), [])
  t.match(await cli('key:issue', ['--name=x', '--metadata', '{"a":"\\ud800"}']), {
    code: 2,
    stderr: /^--metadata must not contain an unpaired surrogate/
  })
})
