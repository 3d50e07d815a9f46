import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { root } from './compiled.ts'
import { startNode } from './nodes.ts'
import { atMost, inUnit } from './report.ts'
import type { Row } from './report.ts'
import { median, takeInRounds } from './rounds.ts'
import type { Setup } from './setup.ts'

const MAX_START_MS = 350
const MAX_COMMAND_MS = 300

/**
 * Measures how long the service takes to start and send its first successful response, and how long a command takes.
 */
export const measureStart = async (setup: Setup): Promise<Row[]> => {
  const url = `file:${join(setup.folder, 'start.db')}`
  const env = { CLIENT_SECRET: setup.credentials.clientSecret, DATABASE_URL: url }
  const taken = await takeInRounds(setup.plan.starts, {
    service: async () => await startService(setup, url),
    command: async () => await run('npm', ['run', '--silent', 'key:issue'], env),
    npm: async () => await run('npm', ['--version']),
    node: async () => await run('node', ['-e', '0'])
  })
  return [
    atMost('Start of `node dist/server.js` to its first reply', median(taken.service), MAX_START_MS, 'ms', 0),
    atMost('`npm run key:issue`', median(taken.command), MAX_COMMAND_MS, 'ms', 0),
    { what: '– of this, `npm --version` takes', result: inUnit(median(taken.npm), 'ms', 0) },
    { what: '– of each, `node -e 0` takes', result: inUnit(median(taken.node), 'ms', 0) }
  ]
}

const startService = async (setup: Setup, url: string): Promise<number> => {
  const start = performance.now()
  const { end } = await startNode(setup, url)
  const milliseconds = performance.now() - start
  await end()
  return milliseconds
}

const run = async (program: string, options: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<number> => {
  const start = performance.now()
  const command = spawn(program, options, {
    cwd: root,
    env: { ...env, PATH: process.env['PATH'] },
    stdio: ['ignore', 'ignore', 'inherit']
  })
  const [code] = (await once(command, 'exit')) as [number | null]
  if (code !== 0) throw new Error(`${program} exited with ${String(code)}`)
  return performance.now() - start
}
