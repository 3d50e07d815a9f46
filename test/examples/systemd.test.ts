import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, readdirSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'tap'
import type { Test } from 'tap'
import { Database } from '../../db/sqlite/driver.ts'
import { pageOf } from '../docs/markdown.ts'
import { at, collect, required, root, run, settings, spawnProgram, temporaryFolder } from '../helper.ts'
import { hasProgram } from '../services.ts'

const SERVICE = 'trivial-api.service'
const BACKUP = 'trivial-api-backup.service'
const TIMER = 'trivial-api-backup.timer'
const UNITS = [SERVICE, BACKUP, TIMER]

/** The maximum time that shutdown takes, in seconds. */
const STOP_SECONDS = 11

const read = (unit: string): string => readFileSync(join(root, 'examples', unit), 'utf8')

/** Returns a setting's values in a unit. */
const valuesOf = (unit: string, name: string): string[] =>
  read(unit)
    .split('\n')
    .filter(line => line.startsWith(`${name}=`))
    .map(line => line.slice(name.length + 1))

test('a unit does not set anything twice by accident, and the service has enough time to stop', async t => {
  for (const unit of UNITS) {
    const names = read(unit)
      .split('\n')
      .flatMap(line => /^(\w+)=/.exec(line)?.[1] ?? [])
    const repeated = names.filter((name, index) => names.indexOf(name) !== index)
    t.same(repeated, unit === TIMER ? [] : ['SystemCallFilter'], unit)
  }
  t.ok(Number(at(valuesOf(SERVICE, 'TimeoutStopSec'))) > STOP_SECONDS)
})

test("the backup has the service's user, settings and folder, and no additional privileges", async t => {
  for (const name of ['User', 'EnvironmentFile', 'WorkingDirectory', 'StateDirectoryMode', 'UMask']) {
    t.same(valuesOf(BACKUP, name), valuesOf(SERVICE, name), name)
    t.equal(valuesOf(BACKUP, name).length, 1, name)
  }
  const restricted = read(SERVICE)
    .split('\n')
    .filter(line => /^(Protect|Private|Restrict|Lock|NoNew|Capability|SystemCall)/.test(line))
  t.ok(restricted.length > 10)
  for (const line of restricted.filter(line => !line.startsWith('RestrictAddressFamilies='))) {
    t.ok(read(BACKUP).split('\n').includes(line), line)
  }
})

/** Replaces the paths in the units with the test's paths. */
const withTestPaths = (text: string, state: string): string =>
  text
    .replaceAll(' /root/', ` ${state}/`)
    .replaceAll('/opt/trivial-api/', `${root}/`)
    .replaceAll('/var/lib/trivial-api', state)
    .replaceAll('/usr/bin/node', process.execPath)

test('systemd-analyze accepts the units', async t => {
  if (!hasProgram(t, 'systemd-analyze', false)) return
  const folder = temporaryFolder(t)
  for (const unit of UNITS) writeFileSync(join(folder, unit), withTestPaths(read(unit), folder))
  const files = UNITS.map(unit => join(folder, unit))
  const { status, stdout, stderr } = spawnSync('systemd-analyze', ['verify', ...files], { encoding: 'utf8' })
  t.equal(status, 0)
  t.notMatch(stdout + stderr, /trivial-api/, 'there are no warnings')
  const [calendar = ''] = valuesOf(TIMER, 'OnCalendar')
  t.equal(spawnSync('systemd-analyze', ['calendar', calendar]).status, 0)
})

/** Runs a unit's command as systemd does: without a shell, in the unit's folder and with its umask. */
const execute = async (t: Test, command: string, state: string, env: Record<string, string>) => {
  const words = withTestPaths(command, state).match(/'[^']*'|\S+/g) ?? []
  const unquoted = words.map(word =>
    word
      .replace(/^'(.*)'$/, '$1')
      .replaceAll('%%', '%')
      .replaceAll('$$', '$')
  )
  const script = `umask ${at(valuesOf(BACKUP, 'UMask'))}; exec "$0" "$@"`
  const child = spawnProgram(['/bin/sh', '-c', script, ...unquoted], state, env)
  child.stdin.end()
  const ended = await collect(child).ended
  t.same([ended.code, ended.stderr], [0, ''], command)
  return ended
}

test('a backup is a dated file that only its owner can read, and old backups are deleted afterwards', async t => {
  const { env } = settings(t)
  t.equal((await run(t, 'cli/trivial.ts', { args: ['db', 'migrate'], env }).ended).code, 0)
  const state = temporaryFolder(t)
  const backups = join(state, 'backups')
  mkdirSync(backups)
  for (const [name, days] of [
    ['old.db', 32],
    ['interrupted.db.partial', 32],
    ['recent.db', 29],
    ['notes.txt', 99]
  ] as const) {
    writeFileSync(join(backups, name), '')
    const then = Date.now() / 1000 - days * 86_400
    utimesSync(join(backups, name), then, then)
  }
  const { stdout } = await execute(t, at(valuesOf(BACKUP, 'ExecStart')), state, env)
  t.match(stdout, /was backed up: \d+ rows/)
  await execute(t, at(valuesOf(BACKUP, 'ExecStartPost')), state, env)
  const [made = '', ...others] = readdirSync(backups).sort()
  t.match(made, /^\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ\.db$/)
  t.same(others, ['notes.txt', 'recent.db'])
  t.equal(statSync(join(backups, made)).mode & 0o777, 0o600)
  const db = new Database(join(backups, made), { readonly: true })
  t.same(db.pragma('integrity_check'), [{ integrity_check: 'ok' }])
  db.close()
})

test('the unit creates the backup folder, and the timer starts the unit', async t => {
  const [folders = ''] = valuesOf(BACKUP, 'StateDirectory')
  t.same(
    folders.split(' ').map(folder => `/var/lib/${folder}`),
    [at(valuesOf(BACKUP, 'WorkingDirectory')), `${at(valuesOf(BACKUP, 'WorkingDirectory'))}/backups`]
  )
  t.equal(TIMER.replace('.timer', '.service'), BACKUP)
  t.same(valuesOf(TIMER, 'WantedBy'), ['timers.target'])
})

test("a key is issued as the service's user, and its token is written to a file that only its owner can read", async t => {
  const block = required(
    pageOf('docs/deploying.md').blocks.find(({ text }) => text.includes('systemd-run')),
    'systemd-run'
  )
  const [, options = '', command = ''] =
    /systemd-run (.+?) (\/usr\/bin\/node .+)$/s.exec(block.text.replaceAll('\\\n', '')) ?? []
  t.match(command, / > \/root\/[\w.-]+\s*$/, 'the file is outside of the project')
  const unit = (name: string): string => at(valuesOf(SERVICE, name))
  for (const option of [
    '--pipe',
    '--wait',
    `--uid=${unit('User')}`,
    `--working-directory=${unit('WorkingDirectory')}`
  ]) {
    t.ok(options.split(/ +/).includes(option), option)
  }
  t.match(options, `EnvironmentFile=${unit('EnvironmentFile')}`)

  const { env } = settings(t)
  const state = temporaryFolder(t)
  const script = `${block.text.slice(0, block.text.indexOf('systemd-run'))}${withTestPaths(command, state)}`
  const child = spawnProgram(['/bin/sh', '-ec', script], state, env)
  child.stdin.end()
  const { code, stdout, stderr } = await collect(child).ended
  t.same([code, stdout, stderr], [0, '', ''], 'nothing is printed')
  const [file = ''] = readdirSync(state)
  t.equal(statSync(join(state, file)).mode & 0o777, 0o600)
  t.match(JSON.parse(readFileSync(join(state, file), 'utf8')), { name: 'billing-sync', key_access_token: /^tck_/ })
})
