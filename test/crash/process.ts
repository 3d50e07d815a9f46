import { once } from 'node:events'
import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Test } from 'tap'
import type { AuditHead } from '../../domain/audits/rows.ts'
import { createAuditService } from '../../domain/audits/service.ts'
import { openStorage } from '../../db/open.ts'
import { Database } from '../../db/sqlite/driver.ts'
import { compiled, spawnNode } from '../helper.ts'
import type { Environment } from '../helper.ts'
import { LISTENING } from '../http/service.ts'

export interface Reply {
  status: number
  headers: Headers
  json: ReturnType<typeof JSON.parse>
}

/** How long a request waits for its response before it counts as lost. */
const UNANSWERED_MS = 60_000

/** Sends a request and resolves with the complete response. Rejects if the response is incomplete. */
export const call = async (
  port: number,
  token: string,
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {}
): Promise<Reply> => {
  // If a server is killed, fetch may never settle, and then nothing else keeps the process alive.
  const unanswered = new AbortController()
  const timer = setTimeout(() => {
    unanswered.abort()
  }, UNANSWERED_MS)
  try {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: unanswered.signal
    })
    return { status: response.status, headers: response.headers, json: await response.json() }
  } finally {
    clearTimeout(timer)
  }
}

/** The compiled server, in a process that a test can kill. */
export interface ServerProcess {
  pid: number
  /** Resolves with the port when the server is listening. */
  listening: Promise<number>
  kill: (signal?: NodeJS.Signals) => void
  isKilled: () => boolean
  ended: Promise<number | null>
}

/** Starts the compiled server. */
export const launch = (t: Test, env: Environment): ServerProcess => {
  const child = spawnNode([compiled('server.ts')], dirname(databaseOf(env)), env)
  t.teardown(() => {
    child.kill('SIGKILL')
  })
  const ended = once(child, 'close').then(([code]) => code as number | null)

  let printed = ''
  const listening = new Promise<number>((resolve, reject) => {
    const inspectDatabase = (text: string): void => {
      printed += text
      const port = LISTENING.exec(printed)?.[1]
      if (port === undefined) return
      child.stdout.off('data', inspectDatabase).resume()
      resolve(Number(port))
    }
    child.stdout.setEncoding('utf8').on('data', inspectDatabase)
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      printed += text
    })
    ended.then(code => {
      reject(new Error(`the server ended with ${String(code)} before it listened: ${printed}`))
    }, reject)
  })
  // Prevents an unhandled rejection if the test kills the server during startup.
  listening.catch(() => {})
  return {
    pid: Number(child.pid),
    listening,
    kill: (signal = 'SIGKILL') => {
      child.kill(signal)
    },
    isKilled: () => child.killed,
    ended
  }
}

export const databaseOf = (env: Environment): string => env['DATABASE_URL'].slice('file:'.length)

/** Returns the violations that SQLite's integrity checks find in a database. */
export const failuresOf = (path: string): unknown[] =>
  onCopy(path, copy => {
    const db = new Database(copy)
    const failures = [
      ...(db.pragma('integrity_check') as { integrity_check: string }[]),
      ...(db.pragma('foreign_key_check') as unknown[])
    ]
    db.close()
    return failures.filter(failure => JSON.stringify(failure) !== '{"integrity_check":"ok"}')
  })

export const query = <T>(path: string, sql: string): T[] =>
  onCopy(path, copy => {
    const db = new Database(copy)
    const rows = db.prepare<[], T>(sql).all()
    db.close()
    return rows
  })

/** Verifies the audit trail, which must be a continuation of the noted head, and returns the current head. */
export const headOf = async (path: string, noted?: AuditHead): Promise<AuditHead> =>
  await onCopy(path, async copy => {
    const storage = await openStorage(`file:${copy}`)
    try {
      const verification = await createAuditService(storage).verify(noted)
      if (!verification.whole) {
        throw new Error(`the audit trail is broken: entry ${verification.sequence} ${verification.fault}`)
      }
      return verification.head
    } finally {
      await storage.close()
    }
  })

// Uses a copy, because SQLite recovers a crashed database when it's opened, and the service must do that itself.
const onCopy = <T>(path: string, look: (copy: string) => T): T => {
  const folder = mkdtempSync(join(tmpdir(), 'trivial-copy-'))
  const remove = (): void => {
    rmSync(folder, { recursive: true, force: true })
  }
  for (const suffix of ['', '-wal']) {
    if (existsSync(path + suffix)) copyFileSync(path + suffix, join(folder, `copy.db${suffix}`))
  }
  const seen = look(join(folder, 'copy.db'))
  if (seen instanceof Promise) seen.then(remove, remove)
  else remove()
  return seen
}
