import { Readable, Writable } from 'node:stream'
import type { Test } from 'tap'
import { run as runCommand } from '../../cli/program.ts'
import { openStorage } from '../../db/open.ts'
import { Database } from '../../db/sqlite/driver.ts'
import type { Connection } from '../../db/sqlite/driver.ts'
import { createKeyService } from '../../domain/keys/service.ts'
import type { KeyService } from '../../domain/keys/service.ts'
import { settings, temporaryFolder } from '../helper.ts'
import type { Settings } from '../helper.ts'

export interface Ended {
  code: number
  stdout: string
  stderr: string
}

export interface Issued {
  id: string
  name: string
  key_id: string
  key_access_token: string
}

export interface Typed {
  args?: readonly string[]
  input?: string | Uint8Array
  env?: Record<string, string>
  cwd?: string
  /** Whether standard output and standard error are a terminal of 120 columns. */
  isTTY?: boolean
  /** The reason why standard output can't be written: the disk is full, or the pipe is closed. */
  unwritable?: 'ENOSPC' | 'EPIPE'
}

/** Returns the words of a command, as they appear in the name of its npm script. */
export const wordsOf = (name: string): string[] => (name === '' ? [] : name.split(':'))

/** Runs a command in this process, with only `env` as its environment. */
export const command = async (
  t: Test,
  name: string,
  { args = [], input = '', env = {}, cwd = temporaryFolder(t), isTTY = false, unwritable }: Typed = {}
): Promise<Ended> => {
  const [stdout, stderr] = [sink(unwritable), sink()]
  const stdin = Readable.from([Buffer.from(input)])
  const terminal = isTTY ? { isTTY, columns: 120 } : {}
  const code = await runCommand({
    args: [...wordsOf(name), ...args],
    env,
    cwd,
    stdin,
    stdout: Object.assign(stdout.stream, terminal),
    stderr: Object.assign(stderr.stream, terminal)
  })
  return { code, stdout: stdout.text(), stderr: stderr.text() }
}

const sink = (unwritable?: string): { stream: Writable; text: () => string } => {
  let text = ''
  const stream = new Writable({
    decodeStrings: false,
    write: (chunk: string, _, done) => {
      if (unwritable !== undefined) {
        done(Object.assign(new Error(`${unwritable}: it failed`), { code: unwritable }))
        return
      }
      text += chunk
      done()
    }
  })
  return { stream, text: () => text }
}

export interface Terminal extends Settings {
  /** Runs a command on the test's database. */
  cli: (
    name: string,
    args?: readonly string[],
    input?: string | Uint8Array,
    env?: Record<string, string>
  ) => Promise<Ended>
  issue: (name: string, ...args: string[]) => Promise<Issued>
  /** Opens the test's database. */
  database: () => Connection
  /** Returns the key service on the test's database, which is faster than commands that aren't under test. */
  registry: () => Promise<KeyService>
}

/** Creates a command line with its own configuration and database. */
export const terminal = (t: Test, env: Record<string, string> = {}): Terminal => {
  const made = settings(t, env)
  const cwd = temporaryFolder(t)
  const url = made.env['DATABASE_URL']
  const cli: Terminal['cli'] = async (name, args = [], input = '', more = {}) =>
    await command(t, name, { args, input, env: { ...made.env, ...more }, cwd })
  return {
    ...made,
    cli,
    issue: async (name, ...args) => {
      const { stdout, stderr } = await cli('key:issue', ['--name', name, '--json', ...args])
      t.equal(stderr, '')
      return JSON.parse(stdout) as Issued
    },
    database: () => {
      const db = new Database(url.slice('file:'.length))
      t.teardown(() => {
        db.close()
      })
      return db
    },
    registry: async () => {
      const storage = await openStorage(url)
      t.teardown(storage.close)
      return createKeyService({ store: storage.keys, secret: made.secret, allowList: [made.key.keyId] })
    }
  }
}
