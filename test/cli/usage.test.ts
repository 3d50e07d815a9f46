import { test } from 'tap'
import { at } from '../helper.ts'
import { COMMANDS } from './every-command.ts'
import { command, terminal, wordsOf } from './terminal.ts'

test('--help prints help, and incorrect usage causes exit code 2 without repeating the input', async t => {
  for (const name of COMMANDS) {
    const [help, bad] = await Promise.all([
      command(t, name, { args: ['--help'] }),
      command(t, name, { args: ['--tck_secret'] })
    ])
    t.match(help, { code: 0, stderr: '' })
    t.ok(help.stdout.startsWith(`Usage: trivial ${wordsOf(name).join(' ')} [options]`), help.stdout)
    t.same([bad.code, bad.stdout], [2, ''], name)
    t.equal(bad.stderr, `There is no such option.\nSee: trivial ${wordsOf(name).join(' ')} --help\n`)
  }
  t.match(await command(t, 'key:issue', { args: ['-h'] }), { code: 0, stdout: /^Usage: trivial key issue/ })
  const misused = await Promise.all(
    [['tck_secret'], ['--help=tck_secret'], ['--json=tck_secret']].map(args => command(t, 'key:issue', { args }))
  )
  for (const { code, stdout, stderr } of misused) {
    t.same([code, stdout], [2, ''])
    t.match(stderr, /^[^\n]+\nSee: trivial key issue --help\n$/)
    t.notMatch(stderr, 'tck_secret')
  }
})

test('a token in the arguments counts as incorrect usage and is not repeated', async t => {
  const {
    key: { keyAccessToken: token },
    cli
  } = terminal(t)
  // The signature is invalid, because only the token's format matters here.
  const jwt = ['{"alg":"HS256"}', '{"key_id":"1"}', 'x'].map(part => Buffer.from(part).toString('base64url')).join('.')
  const runs = await Promise.all([
    cli('key:show', [token]),
    cli('key:inspect', [token]),
    cli('key:issue', ['--name', token]),
    cli('key:issue', [`--name=x ${token}`]),
    cli('key:revoke', ['a', '--reason', `it was ${token}`]),
    cli('key:rotate', [jwt]),
    cli('key:rotate', [`--${token}`]),
    cli('key:list', ['--help', token])
  ])
  for (const { code, stdout, stderr } of runs) {
    t.same([code, stdout], [2, ''])
    t.match(stderr, /^An argument contains a token\./)
    t.notOk([token, token.slice(4, 20), jwt].some(text => stderr.includes(text)))
  }
})

test('incorrect usage causes exit code 2, one line with the reason, and a reference to the help', async t => {
  const { cli } = terminal(t)
  const runs: [issue: string, command: string, ...args: string[]][] = [
    ['Specify one key', 'key:show'],
    ['Specify one key', 'key:revoke', 'a', 'b'],
    ['This command takes options, but no arguments', 'key:list', 'a'],
    ['Specify one file', 'db:backup'],
    ['A key with a --name is active', 'key:issue', '--name', 'a', '--allow'],
    ['Specify what to change', 'key:change', 'a'],
    ['--rate must be', 'key:issue', '--name', 'a', '--rate', '100'],
    ['--rate must be', 'key:issue', '--name', 'a', '--rate', '1/2s/3s'],
    [
      '--rate must be a number of requests and a duration of at least one second',
      'key:issue',
      '--name',
      'a',
      '--rate',
      '0/0s'
    ],
    ['--rate must begin with a number', 'key:issue', '--name', 'a', '--rate', '0/60s'],
    ['--rate must begin with a number', 'key:issue', '--name', 'a', '--rate', '2000000000/60s'],
    ['--rate must begin with a number', 'key:issue', '--name', 'a', '--rate', 'many/60s'],
    ['--rate must end with a duration from 1s', 'key:issue', '--name', 'a', '--rate', '5/0s'],
    ['--rate must end with a duration', 'key:issue', '--name', 'a', '--rate', '5/2d'],
    ['--rate must end with a duration', 'key:change', 'a', '--rate', '100/60'],
    ['--expires must be', 'key:issue', '--name', 'a', '--expires', 'soon'],
    ['--expires must be', 'key:issue', '--name', 'a', '--expires', '2027-02-31T00:00:00Z'],
    ['--expires is out of range', 'key:change', 'a', '--expires', '999999999w'],
    ['--metadata must be', 'key:change', 'a', '--metadata', '{'],
    ['--grace must be', 'key:rotate', 'a', '--grace', '1'],
    ['--grace must be', 'key:rotate', 'a', '--grace', '31d'],
    ['--expires must be', 'key:issue', '--name', 'a', '--expires', 'ToTal'],
    ['--allow-ip any', 'key:change', 'a', '--allow-ip', 'any', '--allow-ip', '::1'],
    ['--noted must be', 'audit:verify', '--noted', `1:${'g'.repeat(64)}`],
    ['--days must be', 'key:usage', 'a', '--days', '0'],
    ['--enabled must be true or false', 'key:list', '--enabled', 'yes'],
    ['--revoked must be true or false', 'key:list', '--revoked', '1'],
    ['--expires-before must be a timestamp', 'key:list', '--expires-before', 'soon'],
    ['--unused-since must be a date that exists', 'key:list', '--unused-since', '2026-02-31'],
    ['--scope must be \\* or apps:read or', 'key:list', '--scope', 'apps:delete'],
    ['--generation must be 8', 'key:list', '--generation', '0123456'],
    ['--expiring must be a duration', 'key:list', '--expiring', '2027-01-31'],
    ['--expiring must be a duration', 'key:list', '--expiring', '999999999y'],
    ['Specify either --all or --revoked', 'key:list', '--all', '--revoked', 'true'],
    ['--expiring lists only keys that are not revoked', 'key:list', '--expiring', '1d', '--all'],
    ['--expiring lists only keys that are not revoked', 'key:list', '--expiring', '1d', '--revoked', 'true'],
    ['--expiring lists only keys that are not revoked', 'key:list', '--expiring', '1d', '--expires-before', '2d'],
    ['Specify one key: .*specify a --generation', 'key:rotate'],
    ['Specify one key: ', 'key:rotate', 'a', 'b'],
    ['Specify either one key, or a --generation', 'key:rotate', 'a', '--generation', '01234567', '--out', 'x'],
    ['--generation and --out must be used together', 'key:rotate', '--generation', '01234567'],
    ['--generation and --out must be used together', 'key:rotate', 'a', '--out', 'x'],
    ['--generation must be 8', 'key:rotate', '--generation', 'G1234567', '--out', 'x'],
    ['--noted must be', 'audit:verify', '--noted', '5'],
    ['--noted must be', 'audit:verify', '--noted', `05:${'a'.repeat(64)}`],
    ['--limit was given more than once\\.', 'audit:list', '--limit', '1', '--limit', '2'],
    ['--limit was given more than once\\.', 'audit:list', '--limit=1', '--json', '--limit', '1'],
    ['--name was given more than once\\.', 'key:issue', '--name', 'a', '--name=b'],
    ['--role was given more than once\\.', 'user:change', '1', '--role', 'admin', '--role', 'member'],
    ["A user's id must be a number that does not begin with 0", 'user:show', '01'],
    ["A user's id must be a number that does not begin with 0", 'user:remove', '0'],
    ['--transfer-to must be User: or Organization:', 'user:remove', '1', '--transfer-to', 'User:02'],
    ['--after must be a number from 1 to', 'audit:list', '--after', '01'],
    ['--days must be', 'key:usage', 'a', '--days', '07'],
    ['--rate must begin with a number', 'key:issue', '--name', 'a', '--rate', '0100/60s'],
    ["The file's path must be written in full", 'user:password', '1', '--out=~/x'],
    ["The file's path must be written in full", 'user:password', '1', '--out', '$HOME/x'],
    ["The file's path must be written in full", 'key:rotate', '--generation', '01234567', '--out=~/x'],
    ["The file's path must be written in full", 'db:backup', '~/backup.db'],
    ["The file's path must be written in full", 'db:backup', '%USERPROFILE%/backup.db'],
    ['Specify one user: the id or the e-mail address', 'user:remove'],
    ['transferred or deleted, but not both', 'user:remove', '1', '--transfer-to', 'User:2', '--delete-apps'],
    ['--transfer-to must be User: or Organization: followed by an id', 'user:remove', '1', '--transfer-to', '3'],
    ['--scope must be .*; did you mean apps:read\\?', 'key:issue', '--name', 'a', '--scope', 'app:read'],
    ['--scope must be [^;]*$', 'key:change', 'a', '--scope', 'apps:read', '--scope', 'everything'],
    ['--scope must be apps:read or .*; did you mean apps:write\\?', 'key:inspect', '--scope', 'apps:wirte'],
    ['--name must be well-formed text', 'key:issue', '--name', ' '],
    ['--name must not look like', 'key:issue', '--name=-'],
    ['--metadata must be an object', 'key:issue', '--name', 'a', '--metadata', '[1]'],
    ['--expires must be in the future', 'key:issue', '--name', 'a', '--expires', '2020-01-01T00:00:00Z'],
    ['--reason must have at most 500 characters', 'key:revoke', 'a', '--reason', 'x'.repeat(501)],
    ['--email must be an e-mail address', 'user:create', '--name', 'a', '--email', 'ada'],
    ['--email must be an e-mail address', 'user:change', '1', '--email', 'ada'],
    ['--name must not contain a token or a key_id', 'user:change', '1', '--name', '0123456789abcdef'.repeat(2)],
    ['--role must be member or admin; did you mean admin\\?', 'user:change', '1', '--role', 'admn'],
    ['Specify what to change', 'user:change', '1'],
    ['--role must be member or admin\\.', 'user:list', '--role', 'king'],
    ['--locked must be true or false; did you mean true\\?', 'user:list', '--locked', 'tru'],
    ['Specify either an --out file', 'user:password', '1'],
    ['Specify either an --out file', 'user:password', '1', '--stdin', '--out', 'x'],
    ['--limit must be a number from 1 to 1000', 'audit:list', '--limit', '1001'],
    ['--after must be a number from 1 to', 'audit:list', '--after', '0'],
    ['--since must be a timestamp', 'audit:list', '--since', 'yesterday'],
    ['--until is out of range', 'audit:list', '--until', '999999999y'],
    ['--subject-type must be app or client_key or', 'audit:list', '--subject-type', 'key'],
    ['--actor-kind must be client_key or user or cli', 'audit:list', '--actor-kind', 'cron']
  ]
  const ended = await Promise.all(runs.map(([, command, ...args]) => cli(command, args)))
  for (const [i, [issue, command, ...args]] of runs.entries()) {
    const { code, stdout, stderr } = at(ended, i)
    t.same([code, stdout], [2, ''], `${command} ${args.join(' ')}`)
    t.match(stderr.split('\n', 1)[0], new RegExp(issue))
    t.match(stderr, new RegExp(`^[^\\n]+\\nSee: trivial ${wordsOf(command).join(' ')} --help\\n$`))
  }
})

test('the error about a mistyped option or command suggests the closest match, and repeats only what looks like a name', async t => {
  const { cli } = terminal(t)
  const runs: [first: string, command: string, ...args: string[]][] = [
    ['There is no option --scop; did you mean --scope?', 'key:issue', '--name', 'a', '--scop', 'apps:read'],
    ['There is no option --scopes; did you mean --scope?', 'key:issue', '--scopes=apps:read'],
    ['There is no option --allowed-ips; did you mean --allow-ip?', 'key:change', 'a', '--allowed-ips', '::1'],
    ['There is no option --jsn; did you mean --json?', 'key:list', '--jsn'],
    ['There is no option --hlp; did you mean --help?', 'db:migrate', '--hlp'],
    ['There is no option --quietly.', 'key:list', '--quietly'],
    ['There is no option --nmae; did you mean --name?', 'key:issue', '--nmae', 'x'],
    ['There is no option --otu; did you mean --out?', 'key:rotate', '--otu', 'x'],
    ['There is no command kye; did you mean key?', 'kye', 'list'],
    ['There is no command key lsit; did you mean key list?', 'key:lsit'],
    ['There is no option --output; did you mean --out?', 'key:rotate', '--output', 'x'],
    ['There is no option --desc; did you mean --description?', 'key:issue', '--desc', 'x'],
    ['There is no option --version.', 'key:list', '--version'],
    ['There is no command rotate; did you mean key rotate?', 'rotate'],
    [
      'There is no command list; did you mean key list or user list or service list or node list or audit list?',
      'list',
      '--json'
    ],
    ['There is no option -x.', 'key:list', '-x'],
    ['There is no such option.', 'key:list', '--0123456789abcdef'],
    ['There is no option --constructor.', 'key:list', '--constructor'],
    ['--name needs a value.', 'key:issue', '--name'],
    ['--name needs a value. Write a value that begins with - as --name=-…', 'key:issue', '--name', '--json'],
    ['--json takes no value.', 'key:issue', '--json=yes'],
    ['There is no command key isue; did you mean key issue?', 'key:isue'],
    ['There is no command key:isue; did you mean key issue?', '', 'key:isue'],
    ['There is no command kee; did you mean key?', 'kee'],
    ['There is no command quikstart; did you mean quickstart?', 'quikstart', '--once'],
    ['There is no command keey; did you mean key?', 'keey:issue', '--help'],
    ['There is no command do-nothing.', 'do-nothing'],
    ['There is no command key constructor.', 'key:constructor'],
    ['There is no command constructor.', 'constructor'],
    ['There is no such command.', 'tck_0'],
    ['There is no such command.', 'key', '0123456789abcdef'],
    ['There is no such command.', 'key', '-'],
    ['There is no option --jsn.', '', '--jsn', 'key', 'list'],
    ['There is no option --hlp; did you mean --help?', 'key', '--hlp'],
    ['There is no such option.', 'key', '-5'],
    ['There is no such option.', 'key:list', '--json', '--TCK=0123'],
    ['This command takes options, but no arguments.', 'key:list', '--', '--json'],
    ['This command takes options, but no arguments.', 'key', '--', 'list', '--json']
  ]
  for (const [first, command, ...args] of runs) {
    const { code, stdout, stderr } = await cli(command, args)
    t.same([code, stdout], [2, ''], first)
    t.match(stderr.split('\n'), [first, /^See: trivial .*--help$/, ''])
    t.equal(stderr.split('\n').length, 3)
  }
})
