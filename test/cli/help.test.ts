import { join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import { test } from 'tap'
import { temporaryFolder } from '../helper.ts'
import { commands } from '../../cli/commands.ts'
import { VERSION } from '../../version.ts'
import { command } from './terminal.ts'
import type { Ended } from './terminal.ts'

const COLOUR = '\u001B['

test('the program lists its groups and commands, and each group lists its commands, all with summaries', async t => {
  const help = await command(t, '--help')
  t.match(help, { code: 0, stdout: /^Usage: trivial <command>\n/, stderr: '' })
  for (const [name, entry] of Object.entries(commands)) {
    t.match(help.stdout, new RegExp(`^  ${name} +${entry.summary}$`, 'm'))
    if (!('commands' in entry)) continue
    const group = await command(t, name, { args: ['--help'] })
    t.match(group, { code: 0, stdout: new RegExp(`^Usage: trivial ${name} <command>\n\n${entry.summary}`), stderr: '' })
    for (const [each, { summary }] of Object.entries(entry.commands)) {
      t.match(group.stdout, new RegExp(`^  ${each} +${summary}$`, 'm'))
    }
  }
})

test('-h, --help and help print help at each level', async t => {
  for (const name of ['', 'key', 'key:list', 'quickstart']) {
    const [long, short, word] = await Promise.all([
      command(t, name, { args: ['--help'] }),
      command(t, name, { args: ['-h'] }),
      command(t, `help:${name}`.replace(/:$/, ''))
    ])
    t.match(long, { code: 0, stdout: /^Usage: trivial/, stderr: '' })
    t.same([short, word], [long, long], name)
  }
})

test("--version prints the program's version", async t => {
  t.same(await command(t, '--version'), { code: 0, stdout: `${VERSION}\n`, stderr: '' })
})

test('without a command, help is printed to standard error, and the exit code is 2', async t => {
  for (const name of ['', 'key']) {
    const { stdout } = await command(t, name, { args: ['--help'] })
    t.same(await command(t, name), { code: 2, stdout: '', stderr: stdout })
  }
})

test("a command's help explains the command, its argument and each option", async t => {
  const explained: Record<string, RegExp[]> = {
    'key:issue': [
      /^Issues a client key: a key_id, and a key_access_token that contains the sealed/m,
      /^With --name:\n {2}--name <name> +the name of the key/m,
      /^ {2}--scope <scope> +a scope of the key, [^]*?\(choices:\s+"apps:read", "apps:write", /m,
      /^ {2}--expires <when> +when the key expires: 90d, 12h or 1y from now/m,
      /^ {2}--allow-ip <range> +an IP address or CIDR range from which the key is accepted/m,
      /^ {2}--rate <limit> +the rate limit shared by all of the key's tokens/m,
      /^ {2}--description <text> +the purpose of the key$/m,
      /^ {2}--metadata <json> +a JSON object/m,
      /^Without --name:\n {2}--allow +add the digest to CLIENT_KEYS in \.env/m,
      /^ {2}--json +print one JSON object with key_id and key_access_token/m,
      /^ {2}-h, --help +print this help$/m
    ],
    'key:rotate': [
      /^Usage: trivial key rotate \[options\] \[<key>\]$/m,
      /^ {2}key +the id or the name of the key, or - to read one of its tokens/m,
      /^ {2}--generation <generation> +rotate all keys of this generation/m,
      /^ {2}--out <file> +a new file for the new tokens/m,
      /^ {2}--grace <time> .*1d by default/m
    ],
    'key:usage': [/^ {2}--days <n> +the number of days, including today: 30 by default, at most 90$/m],
    'key:inspect': [/\n\nExit code: 0 if the token is allowed, 1 if not\.\n$/],
    'db:backup': [
      /^Usage: trivial db backup \[options\] <file>$/m,
      /^ {2}file +the path of the backup/m,
      /^To restore a backup, stop the service/m
    ],
    'db:copy': [
      /^ {2}--to <url> +the postgres:\/\/ URL of an empty database/m,
      /^Stop the service first\./m,
      /^Exit code: 0 if everything was copied; 1 if it was not, or/m
    ],
    'user:create': [/^ {2}--email <address> +the e-mail/m, /^ {2}--admin +create an administrator/m],
    'user:list': [/^ {2}--locked <boolean> .*\(choices: "true", "false"\)$/m],
    'user:show': [/^Usage: trivial user show \[options\] <user>$/m],
    'user:change': [/^ {2}--role <role> +the new role: admin for an administrator/m, /A new e-mail\s+address ends all/],
    'user:lock': [/^Locks a user and ends all of their sessions\./m],
    'user:password': [
      /^ {2}--out <file> +a new file for a generated password/m,
      /^ {2}--stdin +read the password from/m
    ],
    'audit:list': [/^ {2}--limit <n> +the maximum number of entries: 100 by default, at most 1000$/m],
    'user:remove': [
      /^Usage: trivial user remove \[options\] <user>$/m,
      /^ {2}user +the id or the e-mail address of the user$/m,
      /^ {2}--transfer-to <owner> +the new owner of the apps: User:<id> or Organization:<id>$/m,
      /^ {2}--delete-apps +permanently delete the apps/m
    ],
    complete: [/^ {2}zsh +add to ~\/\.zshrc/m, /^ {2}shell .*\(choices: "bash", "zsh", "fish"\)$/m]
  }
  for (const [name, lines] of Object.entries(explained)) {
    const { code, stdout } = await command(t, name, { args: ['--help'] })
    t.equal(code, 0)
    for (const line of lines) t.match(stdout, line)
  }
})

test('help and hints show commands in the form in which they were run: through npm, or as trivial', async t => {
  const npm = { npm_lifecycle_event: 'key:list' }
  t.match(
    (await command(t, 'key:list', { args: ['-h'], env: npm })).stdout,
    /^Usage: npm run key:list -- \[options\]\n/
  )
  t.match(
    (await command(t, 'key:list', { args: ['-h'], env: { npm_lifecycle_event: 'npx' } })).stdout,
    /^Usage: trivial key list \[options\]\n/
  )
  const env = {
    CLIENT_SECRET: '0123456789abcdef'.repeat(4),
    DATABASE_URL: `file:${join(temporaryFolder(t), 'test.db')}`
  }
  t.match(await command(t, 'key:list', { env: { ...env, ...npm } }), {
    code: 0,
    stdout: 'There are no client keys. Issue one: npm run key:issue -- --name <name>\n'
  })
  t.match(await command(t, 'key:show', { args: ['-'], input: 'x', env: { ...env, npm_lifecycle_event: 'key:show' } }), {
    code: 1,
    stderr: 'No client key of this service has this token. To find out why, run: npm run key:inspect\n'
  })
})

const shown = async (...[t, name, typed]: Parameters<typeof command>): Promise<[Ended, Ended]> => [
  await command(t, name, { ...typed, isTTY: true }),
  await command(t, name, typed)
]

test('help and errors are coloured in a terminal, unless NO_COLOR is set', async t => {
  for (const name of ['--help', 'key:--help', 'key:secrets:--help']) {
    const [coloured, bare] = await shown(t, name)
    t.match(coloured.stdout, `${COLOUR}1mUsage:${COLOUR}22m ${COLOUR}36mtrivial${COLOUR}39m`)
    t.notMatch(bare.stdout, COLOUR)
    const [none] = await shown(t, name, { env: { NO_COLOR: '1' } })
    t.equal(none.stdout, stripVTControlCharacters(coloured.stdout))
    t.match(await shown(t, name, { env: { NO_COLOR: '' } }), [coloured])
  }
  const failures: [name: string, args: string[], message: string][] = [
    [
      'key:show',
      [],
      'Specify one key: the id or the name of the key, or - to read one of its tokens from standard input.'
    ],
    ['key:isue', [], 'There is no command key isue; did you mean key issue?'],
    ['audit:verify', [], 'There is no database file:none.db, so there is nothing to verify.']
  ]
  for (const [name, args, message] of failures) {
    const env = { DATABASE_URL: 'file:none.db' }
    const [coloured, bare] = await shown(t, name, { args, env })
    t.ok(coloured.stderr.startsWith(`${COLOUR}31m${message}${COLOUR}39m\n`), coloured.stderr)
    t.ok(bare.stderr.startsWith(`${message}\n`))
    const [none] = await shown(t, name, { args, env: { ...env, NO_COLOR: '1' } })
    t.notMatch(none.stderr, COLOUR)
  }
})

test('output for scripts has no colours', async t => {
  const [coloured, bare] = await shown(t, 'key:list', {
    args: ['--json'],
    env: {
      CLIENT_SECRET: '0123456789abcdef'.repeat(4),
      CLIENT_KEYS: 'billing',
      DATABASE_URL: `file:${join(temporaryFolder(t), 'test.db')}`
    }
  })
  t.same(coloured, bare)
})

test('help is as wide as the terminal', async t => {
  const [wide, bare] = await shown(t, 'key:issue', { args: ['--help'] })
  const width = (text: string): number =>
    Math.max(
      ...stripVTControlCharacters(text)
        .split('\n')
        .map(({ length }) => length)
    )
  t.ok(width(wide.stdout) <= 120)
  t.ok(width(wide.stdout) > width(bare.stdout))
})
