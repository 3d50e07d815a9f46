import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { root } from './compiled.ts'
import type { Credentials } from './credentials.ts'
import { startNode } from './nodes.ts'
import type { Plan } from './plan.ts'
import { atMost, inUnit } from './report.ts'
import type { Row } from './report.ts'
import { takeInRounds } from './rounds.ts'
import { median } from './statistics.ts'

const MAX_START_MS = 350
const MAX_COMMAND_MS = 600

/** How long the service takes from being started to its first good answer, and a command until it has ended. */
export const measureStart = async ({ starts }: Plan, folder: string, credentials: Credentials): Promise<Row[]> => {
  const env = {
    CLIENT_SECRET: credentials.clientSecret,
    CLIENT_KEYS: credentials.clientKey,
    DATABASE_URL: `file:${join(folder, 'start.db')}`,
    LOG_LEVEL: 'warn'
  }
  const taken = await takeInRounds(starts, {
    service: async () => await startService(folder, env),
    command: async () => await issueKey(env),
    node: async () => await startBareNode(folder)
  })
  return [
    atMost('Start of `node dist/server.js` to its first answer', median(taken.service), MAX_START_MS, 'ms', 0),
    atMost('`npm run key:issue`', median(taken.command), MAX_COMMAND_MS, 'ms', 0),
    { what: '– of each, `node -e 0` takes', result: inUnit(median(taken.node), 'ms', 0) }
  ]
}

const startService = async (folder: string, env: NodeJS.ProcessEnv): Promise<number> => {
  const start = performance.now()
  const service = await startNode(folder, env)
  const milliseconds = performance.now() - start
  await service.end()
  return milliseconds
}

const issueKey = async (env: NodeJS.ProcessEnv): Promise<number> => {
  const start = performance.now()
  const command = spawn('npm', ['run', '--silent', 'key:issue'], {
    cwd: root,
    env: { ...env, PATH: process.env['PATH'] },
    stdio: ['ignore', 'ignore', 'inherit']
  })
  const [code] = (await once(command, 'exit')) as [number | null]
  if (code !== 0) throw new Error(`npm run key:issue ended with ${String(code)}`)
  return performance.now() - start
}

const startBareNode = async (folder: string): Promise<number> => {
  const start = performance.now()
  await once(spawn(process.execPath, ['-e', '0'], { cwd: folder, env: {}, stdio: 'ignore' }), 'exit')
  return performance.now() - start
}
