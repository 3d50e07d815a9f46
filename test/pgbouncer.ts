import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { Test } from 'tap'
import { temporaryFolder } from './helper.ts'
import { responds, unprivileged } from './postgres-server.ts'
import { freePort, missing } from './services.ts'

/**
 * Starts a PgBouncer that pools transactions over three connections. Returns the URL of the database through PgBouncer.
 * If PgBouncer isn't installed, skips the test and returns null.
 */
export const startPgBouncer = async (t: Test, url: string): Promise<string | null> => {
  const user = unprivileged()
  const { hostname, port, username, password } = new URL(url)
  const folder = temporaryFolder(t)
  if (user?.uid !== undefined && user.gid !== undefined) chownSync(folder, user.uid, user.gid)
  const listenPort = await freePort()
  const server = `host=${hostname} port=${port === '' ? 5432 : port} user=${username}`
  const file = join(folder, 'pgbouncer.ini')
  writeFileSync(
    file,
    `[databases]
* = ${password === '' ? server : `${server} password=${password}`}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${listenPort}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 3
`
  )
  const bouncer = spawn('pgbouncer', ['-q', file], { ...user, cwd: folder, stdio: 'ignore' })
  const ended = once(bouncer, 'exit').catch((error: unknown) => error)
  t.teardown(async () => {
    bouncer.kill('SIGKILL')
    await ended
  })
  const through = Object.assign(new URL(url), { host: `127.0.0.1:${listenPort}` }).href
  while (!(await responds(through))) {
    const end = await Promise.race([pause(10), ended])
    if (end instanceof Error) return missing(t, 'PgBouncer', 'PATH')
    if (end !== undefined) throw new Error('PgBouncer ended')
  }
  return through
}
