import { DONE, MISUSED } from './command.ts'
import type { Command } from './command.ts'
import { nearest } from './nearest.ts'
import { openTerminal } from './terminal.ts'
import type { Io } from './terminal.ts'

// Each is loaded only where it is asked for: what one needs, the others do not wait for.
const commands: Readonly<Record<string, () => Promise<{ default: Command }>>> = {
  'audit:verify': async () => await import('./audit-verify.ts'),
  'db:backup': async () => await import('./db-backup.ts'),
  'db:migrate': async () => await import('./db-migrate.ts'),
  'db:sample': async () => await import('./db-sample.ts'),
  'key:advise': async () => await import('./key-advise.ts'),
  'key:change': async () => await import('./key-change.ts'),
  'key:disable': async () => await import('./key-disable.ts'),
  'key:enable': async () => await import('./key-enable.ts'),
  'key:inspect': async () => await import('./key-inspect.ts'),
  'key:issue': async () => await import('./key-issue.ts'),
  'key:list': async () => await import('./key-list.ts'),
  'key:revoke': async () => await import('./key-revoke.ts'),
  'key:rotate': async () => await import('./key-rotate.ts'),
  'key:secrets': async () => await import('./key-secrets.ts'),
  'key:show': async () => await import('./key-show.ts'),
  'key:usage': async () => await import('./key-usage.ts'),
  openapi: async () => await import('./openapi.ts'),
  quickstart: async () => await import('./quickstart.ts'),
  'user:create': async () => await import('./user-create.ts')
}

const HELP = `Name a command, named as the npm scripts are; each tells of itself with --help:

${Object.keys(commands)
  .map(name => `  ${name}`)
  .join('\n')}`

/** Runs the command of a name and answers its exit code: 0 done, 1 refused or not found, 2 misused. */
export const run = async (name: string, io: Io): Promise<number> => {
  const load = Object.hasOwn(commands, name) ? commands[name] : undefined
  if (load !== undefined) return await (await load()).default(name, io)
  const { print, warn } = openTerminal(io)
  if (name === '--help' || name === '-h') {
    print(HELP)
    return DONE
  }
  warn(name === '' ? HELP : `${unknownCommand(name)} ${HELP}`)
  return MISUSED
}

const unknownCommand = (typed: string): string => {
  if (!/^[a-z:-]+$/.test(typed)) return 'There is no such command.'
  const likely = nearest(typed, Object.keys(commands))
  return `There is no command ${typed}${likely === null ? '.' : `; did you mean ${likely}?`}`
}
