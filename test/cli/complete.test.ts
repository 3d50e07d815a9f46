import { execFileSync, spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'tap'
import { SCOPES } from '../../domain/keys/policy/scopes.ts'
import { compiled, temporaryFolder } from '../helper.ts'
import { command, terminal } from './terminal.ts'

test('trivial complete prints the script for each shell', async t => {
  for (const [shell, line] of [
    ['bash', 'complete -F __trivial_complete_word trivial'],
    ['zsh', '#compdef trivial'],
    ['fish', 'complete -c trivial -e']
  ] as const) {
    const { code, stdout, stderr } = await command(t, 'complete', { args: [shell] })
    t.same([code, stderr], [0, ''])
    t.match(stdout, `trivial complete -- `)
    t.ok(stdout.split('\n').includes(line), shell)
  }
  const zsh = await command(t, 'complete', { args: ['zsh'] })
  t.match(zsh.stdout, String.raw`comp//:/\\:`, 'a colon in a value is escaped')
})

test('an unknown shell is rejected without repeating its name', async t => {
  for (const args of [['tcsh'], [], ['bash', 'zsh']]) {
    const { code, stdout, stderr } = await command(t, 'complete', { args })
    t.same([code, stdout], [2, ''])
    t.match(stderr, /^(The shell must be bash or zsh or fish\.|Specify one shell: )/)
    t.notMatch(stderr, 'tcsh')
  }
})

/** Returns the suggestions for the last word, without their descriptions. */
const proposed = (stdout: string): string[] => {
  const lines = stdout.trimEnd().split('\n')
  if (lines.pop() !== ':4') throw new Error(`the output has no directive: ${stdout}`)
  return lines.map(line => line.split('\t', 1).join())
}

test('completion suggests groups, commands, options and known values', async t => {
  const requests: [words: string[], proposals: string[]][] = [
    [[], ['quickstart', 'serve', 'key', 'user', 'service', 'db', 'node', 'audit', 'openapi', 'complete']],
    [[''], ['quickstart', 'serve', 'key', 'user', 'service', 'db', 'node', 'audit', 'openapi', 'complete']],
    [['qu'], ['quickstart']],
    [['key', 'issue', '--none='], []],
    [
      ['db', ''],
      ['migrate', 'grants', 'backup', 'copy', 'sample']
    ],
    [
      ['key', 'i'],
      ['issue', 'inspect']
    ],
    [
      ['key', 'list', '--ex'],
      ['--expires-before', '--expiring']
    ],
    [['key', 'list', '--all', '--h'], ['--help']],
    [['key', 'issue', '--scope', ''], [...SCOPES]],
    [
      ['key', 'issue', '--name', 'a', '--scope', 'apps'],
      ['apps:read', 'apps:write']
    ],
    [['key', 'change', 'a', '--scope=users:w'], ['users:write']],
    [['key', 'list', '--revoked', 'f'], ['false']],
    [
      ['complete', ''],
      ['bash', 'zsh', 'fish']
    ],
    [['key', 'issue', '--name', ''], []],
    [['key', 'show', ''], []],
    [['user', 'remove', '--d'], ['--delete-apps']],
    [
      ['user', 'l'],
      ['list', 'lock']
    ],
    [
      ['user', 'password', '1', '--'],
      ['--out', '--stdin', '--json', '--help']
    ],
    [
      ['user', 'change', '1', '--role', ''],
      ['member', 'admin']
    ],
    [
      ['audit', ''],
      ['list', 'verify']
    ],
    [
      ['audit', 'list', '--actor-kind', ''],
      ['client_key', 'user', 'cli']
    ],
    [['--'], ['--version', '--help']],
    [['nothing', ''], []],
    [[], ['quickstart', 'serve', 'key', 'user', 'service', 'db', 'node', 'audit', 'openapi', 'complete']]
  ]
  for (const [words, proposals] of requests) {
    const { code, stdout, stderr } = await command(t, 'complete', { args: ['--', ...words] })
    t.same([code, stderr], [0, ''], words.join(' '))
    t.same(proposed(stdout), proposals, words.join(' '))
  }
  t.match(await command(t, 'complete', { args: ['--', 'key', 'iss'] }), { stdout: 'issue\tIssue a client key\n:4\n' })
})

test('a token in the line being completed is refused and not echoed', async t => {
  const {
    key: { keyAccessToken: token },
    cli
  } = terminal(t)
  const { code, stdout, stderr } = await cli('complete', ['--', 'key', 'show', token, ''])
  t.same([code, stdout], [2, ''])
  t.match(stderr, /^An argument contains a token\./)
  t.notMatch(stderr, token)
})

// Completes each line of standard input as bash does when Tab is pressed. The script is sourced twice, as it is after a
// second login.
const AT_TAB = `
unset NODE_OPTIONS # tap adds its loaders to it
trivial() { "$NODE" "$PROGRAM" "$@"; }
compopt() { :; }
source "$SCRIPT"; source "$SCRIPT"
while IFS= read -r line; do
  COMP_LINE=$line COMP_POINT=\${#line} COMPREPLY=()
  __trivial_complete_word
  printf '%s|' "\${COMPREPLY[@]}"
  echo
done`

test('bash completes scopes, which contain a colon, and does not run anything that was typed', async t => {
  const folder = temporaryFolder(t)
  const script = join(folder, 'completion.bash')
  writeFileSync(script, (await command(t, 'complete', { args: ['bash'] })).stdout)
  const lines: [line: string, proposals: string][] = [
    ['trivial key i', 'issue|inspect|'],
    ['trivial user ', 'create|list|show|change|lock|unlock|password|remove|'],
    ['trivial --v', '--version|'],
    ['trivial audit list --subject-type u', 'user|'],
    ['trivial key issue --n', '--name|'],
    ['trivial key issue --scope au', 'audits:read|'],
    ['trivial key issue --scope apps:', 'read|write|'],
    ['trivial key issue --scope=apps:w', 'write|'],
    ['trivial key list --enabled=', 'true|false|'],
    [`trivial key revoke a --reason "$(touch ${folder}/ran)" --j`, '--json|'],
    ["trivial key revoke a --reason don't --j", '--json|'],
    ['trivial key show nothing', '|'],
    ['', '|'],
    [' ', '|'],
    ['trivial', '|']
  ]
  const { stdout, stderr } = spawnSync('bash', ['--norc', '-c', AT_TAB], {
    cwd: folder,
    encoding: 'utf8',
    input: lines.map(([line]) => `${line}\n`).join(''),
    env: { PATH: process.env['PATH'], NODE: process.execPath, PROGRAM: compiled('cli/trivial.ts'), SCRIPT: script },
    stdio: 'pipe'
  })
  t.equal(stderr, '')
  t.same(
    stdout.trimEnd().split('\n'),
    lines.map(([, proposals]) => proposals)
  )
  t.throws(() => execFileSync('ls', [join(folder, 'ran')], { stdio: 'ignore' }), 'the command in the line was not run')
})
