import { spawn } from 'node:child_process'
import type { ChildProcessWithoutNullStreams } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import type { OutgoingHttpHeaders } from 'node:http'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
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

/** The project folder, even if this file was compiled to `dist-test/`. */
export const root = basename(folder) === 'dist-test' ? join(folder, '..') : folder

/** Returns `value`. Throws if it's undefined. */
export const required = <T>(value: T | undefined, what: string): T => {
  if (value === undefined) throw new Error(`${what} is missing`)
  return value
}

/** The context for changes outside of requests. It has no permission boundary. */
export const operator: RequestContext = {
  actor: { kind: 'cli', id: '0', name: 'tester' },
  principal: null,
  address: null,
  requestId: null
}

/** Returns the element at an index of a list. Throws if it doesn't exist. */
export const at = <T>(list: readonly T[], index = 0): T =>
  required(list[index], `element ${index} of a list with ${list.length}`)

export const newSecret = (): string => randomBytes(32).toString('hex')

/** Creates a folder that is deleted when the test ends. */
export const temporaryFolder = (t: Test): string => {
  const folder = mkdtempSync(join(tmpdir(), 'trivial-'))
  t.teardown(() => {
    rmSync(folder, { recursive: true, force: true })
  })
  return folder
}

/**
 * The freshness of a lookup whose entries all become stale when `revision` changes. null means that the revision is
 * unknown.
 */
export const freshnessOf = (revision: () => number | null): KeyFreshness => ({
  barrier: async () => {},
  mark: revision,
  isFresh: mark => mark === revision()
})

/** The freshness of a lookup whose entries never become stale. */
export const alwaysFresh = freshnessOf(() => 0)

/** Returns a managed key's token, as a lookup does. */
export const knownToken = (key: Partial<ClientKey> = {}, token: Partial<KnownToken> = {}): KnownToken => ({
  key: {
    ...UNLIMITED,
    id: 'managed',
    name: 'managed',
    owner: null,
    source: 'managed',
    enabled: true,
    revokedAt: null,
    ...key
  },
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

/** The option for tests that read the SQLite file, or that mock the clock of this process's counters. */
export const onlyOnSqlite = {
  skip: process.env['TEST_DATABASE_URL'] === undefined ? false : 'this test is for SQLite only'
}

/** The URL of a migrated PostgreSQL database, which is emptied for each world, or undefined if tests use SQLite. */
const otherDatabase = process.env['TEST_DATABASE_URL']

/** Returns a valid configuration with a secret, an allowed key and a separate database. */
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

/** Does the same as `settings`, but ensures that the database is empty. */
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

/** The password of the sample data's users in a world. Outside of tests, they get random passwords. */
export const SAMPLE_PASSWORD = 'seven lanterns by the mill'

// Hashed once for all worlds in a process, because hashing is slow by design.
const samplePassword = createPasswordHasher().hash(SAMPLE_PASSWORD)

export interface World extends Settings {
  fastify: FastifyInstance
  /** Sends a request with the world's client key, and with `body` as JSON if it's defined. */
  call: (method: string, url: string, body?: unknown, headers?: Record<string, string>) => Promise<Reply>
}

/**
 * Creates an application with a separate database that contains the sample data, and closes it when the test ends. The
 * database isn't marked as sample data, so the service treats it like any other.
 */
export const world = async (t: Test, env: Record<string, string> = {}): Promise<World> => {
  const made = await emptySettings(t, env)
  const url = made.env.DATABASE_URL
  const isNew = url !== otherDatabase && env['DATABASE_URL'] === undefined
  if (isNew) copyFileSync(await (sampleFile ??= createSampleFile()), url.slice('file:'.length))
  const fastify = await createServer(made.env)
  t.teardown(() => fastify.close())
  if (!isNew) await load(fastify.storage)
  return { ...made, fastify, call: createCall(fastify, made.key.keyAccessToken) }
}

const load = async (storage: Storage): Promise<void> => {
  const passwordHash = await samplePassword
  await loadSample(storage, { sample, hashOf: () => passwordHash, context: operator })
}

// Created once for all worlds in a process, because copying a file is faster than migrating and filling a database.
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

const createCall =
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

/** Returns a function that signs Trivial's own tokens as fast-jwt does. */
export const legacySigner = (secret: string): ((payload: object) => string) => {
  const header: JwtHeader = { alg: 'HS256' }
  // Without this, fast-jwt adds its own `typ`.
  Object.assign(header, { typ: undefined })
  return createSigner({ key: secret, noTimestamp: true, header })
}

/** A running script of the project. It starts in a separate folder, so that it doesn't read a developer's `.env`. */
export interface Running {
  process: ChildProcessWithoutNullStreams
  output: () => { stdout: string; stderr: string }
  /** Resolves when standard output contains a string. Rejects if the process ends without printing it. */
  prints: (text: string) => Promise<void>
  ended: Promise<{ code: number | null; stdout: string; stderr: string }>
}

// tap adds its loaders, including the one for TypeScript, to the options of every Node.js process, so startup takes
// five times as long. Coverage is measured only by tests that run the code in their own process.
const WITHOUT_TAP = 'export NODE_OPTIONS="$OWN_NODE_OPTIONS"; exec "$0" "$@"'

/** Starts a program in a folder, with only `env` and `PATH` as its environment. */
export const spawnProgram = (
  command: readonly string[],
  cwd: string,
  env: Readonly<Record<string, string>>
): ChildProcessWithoutNullStreams =>
  spawn('/bin/sh', ['-c', WITHOUT_TAP, ...command], {
    cwd,
    env: { PATH: process.env['PATH'], ...env, OWN_NODE_OPTIONS: env['NODE_OPTIONS'] ?? '' }
  })

/** Starts Node.js in a folder, in the same way as `spawnProgram`. */
export const spawnNode = (
  args: readonly string[],
  cwd: string,
  env: Readonly<Record<string, string>>
): ChildProcessWithoutNullStreams => spawnProgram([process.execPath, ...args], cwd, env)

/** Returns the path of a script's compiled version. */
export const compiled = (script: string): string => join(root, 'dist', script.replace(/\.ts$/, '.js'))

/** Collects a process's output. When the process ends, `ended` resolves with the output and the exit code. */
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

/** Runs a compiled script of the project until the script or the test ends. */
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

/** Listens on a free port of the loopback address. Returns the port. */
export const listening = async (fastify: FastifyInstance): Promise<number> => {
  await fastify.listen({ host: '127.0.0.1', port: 0 })
  const address = fastify.server.address()
  if (address === null || typeof address === 'string') throw new Error('the server has no port')
  return address.port
}

/** Sends bytes to a port, unchanged. Returns everything that is received until the connection ends. */
export const raw = async (port: number, bytes: string | Uint8Array, host = '127.0.0.1'): Promise<string> => {
  const socket = connect(port, host)
  let reply = ''
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    reply += chunk
  })
  socket.on('error', error => {
    reply += `[${error.message}]`
  })
  socket.write(bytes)
  await once(socket, 'close')
  return reply
}

/** Resolves as soon as `isTrue` returns true. It is called every 20 ms, until the test times out. */
export const eventually = async (isTrue: () => Promise<boolean>): Promise<void> => {
  while (!(await isTrue())) await pause(20)
}
