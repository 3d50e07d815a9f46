import { spawn, spawnSync } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import pg from 'pg'
import { freePort } from './services.ts'

const DEBIAN = '/usr/lib/postgresql'

/** A PostgreSQL server for a single test, which may stop and restart it. */
export interface PostgresServer {
  readonly url: string
  /** The folder that contains the server's files, which belong to `user`. */
  readonly folder: string
  readonly bin: string
  /** The user who runs the server and any programs that access its files. */
  readonly user: { uid?: number; gid?: number }
  /** Starts the server. Resolves when it responds. */
  readonly start: (settings?: Readonly<Record<string, string>>) => Promise<void>
  /** Stops the server. `SIGINT` aborts running transactions. After `SIGQUIT`, the next start includes a recovery. */
  readonly stop: (signal?: NodeJS.Signals) => Promise<void>
  /** Stops the server and deletes its files. */
  readonly remove: () => Promise<void>
}

/**
 * Creates an empty server, or a standby of `primary`, with the programs in Debian's package, but doesn't start it. If
 * that fails, returns the reason as a string.
 */
export const createPostgresServer = async (primary?: PostgresServer): Promise<PostgresServer | string> => {
  const bin = newestBin()
  if (bin === null) return "Debian's package of PostgreSQL is not installed here"
  const user = unprivileged()
  if (user === null) return 'PostgreSQL refuses to run as root, and there is no user postgres or nobody'
  const folder = mkdtempSync(join(tmpdir(), 'trivial-postgres-'))
  if (user.uid !== undefined && user.gid !== undefined) chownSync(folder, user.uid, user.gid)
  const data = join(folder, 'data')
  const [program, args] =
    primary === undefined
      ? ['initdb', ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '-N']]
      : ['pg_basebackup', ['-D', data, '-d', primary.url, '--checkpoint=fast', '--write-recovery-conf']]
  const made = spawnSync(join(bin, program), args, { ...user, cwd: folder })
  if (made.status !== 0) {
    rmSync(folder, { recursive: true, force: true })
    return `${program} failed: ${String(made.stderr).trim()}`
  }
  return serverIn(folder, bin, user, await freePort())
}

const serverIn = (folder: string, bin: string, user: PostgresServer['user'], port: number): PostgresServer => {
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`
  let server: ChildProcess | undefined
  const stop = async (signal: NodeJS.Signals = 'SIGINT'): Promise<void> => {
    if (server === undefined || server.exitCode !== null) return
    const ended = once(server, 'exit')
    server.kill(signal)
    await ended
  }
  return {
    url,
    folder,
    bin,
    user,
    stop,
    start: async (settings = {}) => {
      const all = { port, listen_addresses: '127.0.0.1', unix_socket_directories: folder, fsync: 'off', ...settings }
      const options = Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`])
      const started = spawn(join(bin, 'postgres'), ['-D', join(folder, 'data'), ...options], {
        ...user,
        cwd: folder,
        stdio: 'ignore'
      })
      server = started
      while (!(await responds(url))) {
        if (started.exitCode !== null) throw new Error(`PostgreSQL ended with ${started.exitCode}`)
        await pause(10)
      }
    },
    remove: async () => {
      await stop()
      rmSync(folder, { recursive: true, force: true })
    }
  }
}

/** Returns whether the server at a URL responds to a query. */
export const responds = async (url: string): Promise<boolean> => {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => {})
  try {
    await client.connect()
    await client.query('select 1')
    await client.end()
    return true
  } catch {
    return false
  }
}

const newestBin = (): string | null => {
  const versions = existsSync(DEBIAN) ? readdirSync(DEBIAN).sort((a, b) => Number(b) - Number(a)) : []
  const version = versions.find(version => existsSync(join(DEBIAN, version, 'bin/initdb')))
  return version === undefined ? null : join(DEBIAN, version, 'bin')
}

/** Returns the user who runs servers: an unprivileged user if this process runs as root, or null if there isn't one. */
export const unprivileged = (): PostgresServer['user'] | null => {
  if (process.getuid?.() !== 0) return {}
  for (const name of ['postgres', 'nobody']) {
    const [uid, gid] = ['-u', '-g'].map(option => spawnSync('id', [option, name]))
    if (uid?.status === 0 && gid?.status === 0) return { uid: Number(uid.stdout), gid: Number(gid.stdout) }
  }
  return null
}
