import { spawnSync } from 'node:child_process'
import { readFileSync, symlinkSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { test } from 'tap'
import { root, settings, temporaryFolder } from '../helper.ts'

interface Package {
  bin: Record<string, string>
  scripts: Record<string, string>
}

const { bin, scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Package

/** Runs a program by its name, without the loaders that tap adds to NODE_OPTIONS. */
const launch = (command: readonly string[], cwd: string, env: Record<string, string>) =>
  spawnSync('/bin/sh', ['-c', 'unset NODE_OPTIONS; exec "$0" "$@"', ...command], { cwd, encoding: 'utf8', env })

test('the program can be run by name, through a link like the one that npm creates', async t => {
  const folder = temporaryFolder(t)
  symlinkSync(join(root, String(bin['trivial'])), join(folder, 'trivial'))
  const { env } = settings(t)
  const PATH = [folder, dirname(process.execPath), process.env['PATH']].join(delimiter)
  const runs: [args: string[], status: number, stdout: RegExp, stderr: RegExp][] = [
    [['key', 'issue', '--help'], 0, /^Usage: trivial key issue \[options\]\n/, /^$/],
    [['key', 'list', '--json'], 0, /"source": "environment"/, /^$/],
    [['key', 'show', 'nobody'], 1, /^$/, /^There is no client key/],
    [['key', 'shwo'], 2, /^$/, /^There is no command key shwo; did you mean key show\?\n/],
    [[], 2, /^$/, /^Usage: trivial <command>/]
  ]
  for (const [args, status, stdout, stderr] of runs) {
    t.match(launch(['trivial', ...args], folder, { ...env, PATH }), { status, stdout, stderr }, args.join(' '))
  }
})

test('the npm scripts run the commands', async t => {
  const names = Object.entries(scripts).flatMap(([name, script]) => (script.includes('cli/trivial.js') ? [name] : []))
  t.ok(names.length >= 19)
  for (const name of names) {
    t.equal(scripts[name], `exec sh build/run.sh cli/trivial.js ${name.replace(':', ' ')}`)
  }
  const { PATH = '' } = process.env
  const npm = ['npm', 'run', '--silent', '--update-notifier=false', 'key:issue', '--', '--help']
  t.match(launch(npm, root, { PATH, HOME: temporaryFolder(t) }), {
    status: 0,
    stdout: /^Usage: npm run key:issue -- \[options\]\n/,
    stderr: ''
  })
})
