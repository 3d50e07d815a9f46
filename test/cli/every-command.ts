import { join } from 'node:path'
import type { Test } from 'tap'
import { createServer } from '../../app.ts'
import { commands } from '../../cli/commands.ts'
import { openStorage } from '../../db/open.ts'
import { settings, temporaryFolder } from '../helper.ts'
import type { Environment } from '../helper.ts'
import { postgresDatabase } from '../postgres.ts'
import { command } from './terminal.ts'
import type { Issued, Typed } from './terminal.ts'

/** The names of all commands, in the format of npm scripts. */
export const COMMANDS = Object.entries(commands).flatMap(([name, entry]) =>
  'commands' in entry ? Object.keys(entry.commands).map(each => `${name}:${each}`) : [name]
)

/** Other arguments that print something: help, and suggestions for a shell. */
export const REST: Readonly<Record<string, Typed | null>> = {
  '--help': {},
  '--version': {},
  'key:issue:--help': {},
  'complete:--:key': {}
}

const typedGrants = async (t: Test, env: Environment): Promise<Typed | null> => {
  const url = await postgresDatabase(t)
  if (url === null) return null
  await (await openStorage(url)).close()
  return { cwd: temporaryFolder(t), env: { ...env, DATABASE_URL: url }, args: ['pg_monitor'] }
}

/**
 * Returns arguments with which each command prints something, or null for a command that needs PostgreSQL if no server
 * is available.
 */
export const typedCommands = async (t: Test): Promise<Readonly<Record<string, Typed | null>>> => {
  const { env } = settings(t)
  const cwd = temporaryFolder(t)
  const run = async (name: string, ...args: string[]) => await command(t, name, { args, env, cwd })
  const issued = async (name: string): Promise<Issued> =>
    JSON.parse((await run('key:issue', '--name', name, '--json')).stdout) as Issued
  const { id, key_access_token: token } = await issued('first')
  await issued('second')
  // Records the usage that `key advise` needs. The service stores it when it closes.
  const service = await createServer(env)
  await service.inject({ url: '/apps', headers: { authorization: `Bearer ${token}` } })
  await service.close()
  await run('user:create', '--email', 'ada@example.com', '--name', 'Ada')
  const typed = (...args: string[]): Typed => ({ env, cwd, args })
  const own: Typed = { cwd: temporaryFolder(t), env: { PORT: '0' } }
  await run('service:add', 'orders', '--scope', 'orders:read')
  await run('service:add', 'gone')
  const target = await postgresDatabase(t)
  return {
    quickstart: { ...own, args: ['--once'] },
    'key:issue': typed('--name', 'third'),
    'key:list': typed(),
    'key:show': typed(id),
    'key:change': typed(id, '--description', 'of a test'),
    'key:rotate': typed(id),
    'key:disable': typed(id),
    'key:enable': typed(id),
    'key:revoke': typed('second'),
    'key:inspect': { ...typed(), input: token },
    'key:usage': typed(id),
    'key:advise': typed(id),
    'key:secrets': typed(),
    'service:add': typed('ledger', '--scope', 'ledger:read=Read the ledger'),
    'service:list': typed(),
    'service:show': typed('orders'),
    'service:change': typed('orders', '--description', 'Takes orders'),
    'service:remove': typed('gone'),
    'user:create': typed('--email', 'ben@example.com', '--name', 'Ben'),
    'user:list': typed(),
    'user:show': typed('1'),
    'user:change': typed('1', '--name', 'Ada Moreno'),
    'user:lock': typed('1'),
    'user:unlock': typed('1'),
    'user:password': typed('1', '--out', 'password.txt'),
    'user:remove': typed('ada@example.com'),
    'db:migrate': typed(),
    'db:backup': typed(join(cwd, 'copy.db')),
    'db:copy': target === null ? null : typed('--to', target),
    'db:grants': await typedGrants(t, env),
    'db:sample': { cwd: temporaryFolder(t) },
    'node:list': typed(),
    'audit:list': typed(),
    'audit:verify': typed(),
    openapi: typed(),
    complete: typed('bash')
  }
}
