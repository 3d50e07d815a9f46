import { spawn } from 'node:child_process'
import type { ChildProcessWithoutNullStreams } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import type { OutgoingHttpHeaders } from 'node:http'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createSigner } from 'fast-jwt'
import type { JwtHeader } from 'fast-jwt'
import type { FastifyInstance, InjectOptions } from 'fastify'
import type { Test } from 'tap'
import { createServer } from '../app.ts'
import type { RequestContext } from '../domain/access/principal.ts'
import { loadSample } from '../db/load-sample.ts'
import { openStorage } from '../db/open.ts'
import { sample } from '../db/sample.ts'
import type { Storage } from '../db/storage.ts'
import { UNLIMITED } from '../domain/keys/client-key.ts'
import type { ClientKey, KnownToken } from '../domain/keys/client-key.ts'
import type { KeyFreshness } from '../domain/keys/freshness/freshness.ts'
import { createTokenSealer, issueClientKey } from '../domain/keys/token/token.ts'
import type { IssuedClientKey } from '../domain/keys/token/token.ts'
import { createPasswordHasher } from '../domain/users/passwords.ts'

const folder = fileURLToPath(new URL('..', import.meta.url))

/** The folder of the project, whether this file runs as it is or compiled in `dist-test/`. */
export const root = basename(folder) === 'dist-test' ? join(folder, '..') : folder

/** A value that must be there. */
export const need = <T>(value: T | undefined, what: string): T => {
  if (value === undefined) throw new Error(`${what} is not there`)
  return value
}

/** Who asks for what no request asks for: nothing bounds it. */
export const operator: RequestContext = {
  actor: { kind: 'cli', id: '0', name: 'tester' },
  principal: null,
  address: null,
  requestId: null
}

/** An element of a list, which must be there. */
export const at = <T>(list: readonly T[], index = 0): T =>
  need(list[index], `element ${index} of a list of ${list.length}`)

export const newSecret = (): string => randomBytes(32).toString('hex')

/** A folder of its own for a test, gone when the test ends. */
export const temporaryFolder = (t: Test): string => {
  const folder = mkdtempSync(join(tmpdir(), 'trivial-'))
  t.teardown(() => {
    rmSync(folder, { recursive: true, force: true })
  })
  return folder
}

/** The freshness of a look-up where any change, told by a number that moves, makes all stale; null: it is not sure. */
export const movingWith = (revision: () => number | null): KeyFreshness => ({
  barrier: async () => {},
  mark: revision,
  isFresh: mark => mark === revision()
})

/** The freshness of a look-up where nothing ever changes. */
export const unchanging = movingWith(() => 0)

/** A token of a managed key, as a look-up answers it. */
export const knownToken = (key: Partial<ClientKey> = {}, token: Partial<KnownToken> = {}): KnownToken => ({
  key: { ...UNLIMITED, id: 'managed', name: 'managed', source: 'managed', enabled: true, revokedAt: null, ...key },
  digest: '0'.repeat(64),
  generation: '00000000',
  ref: '0'.repeat(64),
  expiresAt: null,
  revokedAt: null,
  ...token
})

export interface Environment extends Record<string, string> {
  DATABASE_URL: string
}

export interface Settings {
  secret: string
  key: IssuedClientKey
  env: Environment
}

/** The option of a test that looks into the file of SQLite, or moves the clock by which this process counts. */
export const onlyOnSqlite = { skip: process.env['TEST_DATABASE_URL'] === undefined ? false : 'it is about SQLite' }

/** The database that worlds are made on, where they are to be on PostgreSQL; it has its tables, and is emptied. */
const otherDatabase = process.env['TEST_DATABASE_URL']

/** A configuration that works: a secret, a key it allows, a database in a folder of its own. */
export const settings = (t: Test, env: Record<string, string> = {}): Settings => {
  const secret = newSecret()
  const key = issueClientKey(createTokenSealer(secret))
  return {
    secret,
    key,
    env: {
      CLIENT_SECRET: secret,
      CLIENT_KEYS: key.keyId,
      DATABASE_URL: otherDatabase ?? `file:${join(temporaryFolder(t), 'test.db')}`,
      LOG_LEVEL: 'silent',
      ...env
    }
  }
}

/** The same, and nothing is in the database. */
export const emptySettings = async (t: Test, env?: Record<string, string>): Promise<Settings> => {
  if (otherDatabase !== undefined) await (await import('./postgres.ts')).emptied(otherDatabase)
  return settings(t, env)
}

export interface Reply {
  status: number
  headers: OutgoingHttpHeaders
  text: string
  json: ReturnType<typeof JSON.parse>
}

/** The password of every user of the sample in a world; that of no other database. */
export const SAMPLE_PASSWORD = 'seven lanterns by the mill'

// Hashed once for all worlds of a process: it takes a while, as it should.
const samplePassword = createPasswordHasher().hash(SAMPLE_PASSWORD)

export interface World extends Settings {
  fastify: FastifyInstance
  /** Sends a request with the world's client key, and a JSON body where one is given. */
  call: (method: string, url: string, body?: unknown, headers?: Record<string, string>) => Promise<Reply>
}

/**
 * A whole application on a database of its own with the sample data in it, closed when the test ends. The database is
 * not marked as sample data: to the service it is like any other.
 */
export const world = async (t: Test, env: Record<string, string> = {}): Promise<World> => {
  const made = await emptySettings(t, env)
  const url = made.env.DATABASE_URL
  const isNew = url !== otherDatabase && env['DATABASE_URL'] === undefined
  if (isNew) copyFileSync(await (sampleFile ??= createSampleFile()), url.slice('file:'.length))
  const fastify = await createServer(made.env)
  t.teardown(() => fastify.close())
  if (!isNew) await load(fastify.storage)
  return { ...made, fastify, call: caller(fastify, made.key.keyAccessToken) }
}

const load = async (storage: Storage): Promise<void> => {
  const passwordHash = await samplePassword
  await loadSample(storage, { sample, hashOf: () => passwordHash, context: operator })
}

// Made once for all worlds of a process: to copy a file takes less time than its migrations and its rows.
let sampleFile: Promise<string> | undefined

const createSampleFile = async (): Promise<string> => {
  const folder = mkdtempSync(join(tmpdir(), 'trivial-'))
  process.on('exit', () => {
    rmSync(folder, { recursive: true, force: true })
  })
  const path = join(folder, 'sample.db')
  const storage = await openStorage(`file:${path}`)
  await load(storage)
  await storage.close()
  return path
}

const caller =
  (fastify: FastifyInstance, token: string): World['call'] =>
  async (method, url, body, headers = {}) => {
    const response = await fastify.inject({
      method: method as 'GET',
      url,
      headers: { authorization: `Bearer ${token}`, ...headers },
      ...(body === undefined ? {} : { payload: body as InjectOptions['payload'] })
    } as InjectOptions)
    return {
      status: response.statusCode,
      headers: response.headers,
      text: response.payload,
      json: parse(response.payload)
    }
  }

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Signs Trivial's own tokens, as fast-jwt does it. */
export const legacySigner = (secret: string): ((payload: object) => string) => {
  const header: JwtHeader = { alg: 'HS256' }
  // Without this fast-jwt adds a `typ` of its own.
  Object.assign(header, { typ: undefined })
  return createSigner({ key: secret, noTimestamp: true, header })
}

/** A process of the project, started in a folder of its own so that no developer's `.env` is read. */
export interface Running {
  process: ChildProcessWithoutNullStreams
  output: () => { stdout: string; stderr: string }
  /** Resolves when standard output holds the text; rejects when the process ends without it. */
  prints: (text: string) => Promise<void>
  ended: Promise<{ code: number | null; stdout: string; stderr: string }>
}

// tap puts its own loaders, TypeScript's among them, into the options of every Node that is spawned; a start then takes
// five times as long. What is covered is measured by tests that call the code in their own process.
const WITHOUT_TAP = 'export NODE_OPTIONS="$OWN_NODE_OPTIONS"; exec "$0" "$@"'

/** Starts a program in a folder. `env` is all it sees of the environment, but for `PATH`. */
export const spawnProgram = (
  command: readonly string[],
  cwd: string,
  env: Readonly<Record<string, string>>
): ChildProcessWithoutNullStreams =>
  spawn('/bin/sh', ['-c', WITHOUT_TAP, ...command], {
    cwd,
    env: { PATH: process.env['PATH'], ...env, OWN_NODE_OPTIONS: env['NODE_OPTIONS'] ?? '' }
  })

/** Starts Node in a folder, as `spawnProgram` does. */
export const spawnNode = (
  args: readonly string[],
  cwd: string,
  env: Readonly<Record<string, string>>
): ChildProcessWithoutNullStreams => spawnProgram([process.execPath, ...args], cwd, env)

/** Where a script of the project is compiled. */
export const compiled = (script: string): string => join(root, 'dist', script.replace(/\.ts$/, '.js'))

/** Collects what a process prints, and answers it with the exit code when the process has ended. */
export const collect = (child: ChildProcessWithoutNullStreams): Pick<Running, 'output' | 'ended'> => {
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  return {
    output: () => ({ stdout, stderr }),
    ended: once(child, 'close').then(([code]) => ({ code: code as number | null, stdout, stderr }))
  }
}

export interface RunOptions {
  cwd?: string
  env?: Record<string, string>
  args?: readonly string[]
  input?: string | Uint8Array
}

/** Runs a script of the project, compiled, until it ends or the test does. */
export const run = (t: Test, script: string, options: RunOptions = {}): Running => {
  const { args = [], cwd = temporaryFolder(t), env = {} } = options
  const child = spawnNode([compiled(script), ...args], cwd, env)
  child.stdin.end(options.input)
  const { output, ended } = collect(child)
  t.teardown(async () => {
    child.kill('SIGTERM')
    await ended
  })
  return {
    process: child,
    output,
    prints: async text => {
      while (!output().stdout.includes(text)) {
        const end = await Promise.race([once(child.stdout, 'data').then(() => null), ended])
        if (end !== null && !end.stdout.includes(text)) {
          const printed = end.stdout + end.stderr
          throw new Error(`the process ended with ${String(end.code)} without printing ${text}: ${printed}`)
        }
      }
    },
    ended
  }
}

/** Listens on a free port of the loopback address and answers the port. */
export const listening = async (fastify: FastifyInstance): Promise<number> => {
  await fastify.listen({ host: '127.0.0.1', port: 0 })
  const address = fastify.server.address()
  if (address === null || typeof address === 'string') throw new Error('the server has no port')
  return address.port
}

/** Sends bytes to a port as they are and answers all that comes back until the connection ends. */
export const raw = async (port: number, bytes: string | Uint8Array, host = '127.0.0.1'): Promise<string> => {
  const socket = connect(port, host)
  let answer = ''
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    answer += chunk
  })
  socket.on('error', error => {
    answer += `[${error.message}]`
  })
  socket.write(bytes)
  await once(socket, 'close')
  return answer
}
