import fs, { readFileSync, statSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { join } from 'node:path'
import { test } from 'tap'
import type { Test } from 'tap'
import { openStorage } from '../../db/open.ts'
import { createKeyService } from '../../domain/keys/service.ts'
import { generationOf } from '../../domain/keys/token/token.ts'
import type { KeyService } from '../../domain/keys/service.ts'
import { newSecret, operator, temporaryFolder } from '../helper.ts'
import { command, terminal } from './terminal.ts'
import type { Ended } from './terminal.ts'

interface Line {
  id: string
  name: string
  key_access_token: string
}

/** Creates a command line and keys that were sealed with an earlier secret. */
const world = async (t: Test, names: readonly string[]) => {
  const previous = newSecret()
  const made = terminal(t, { CLIENT_SECRET_PREVIOUS: previous })
  const storage = await openStorage(made.env['DATABASE_URL'])
  t.teardown(storage.close)
  const registryOf = (...secrets: [string, ...string[]]): KeyService =>
    createKeyService({ store: storage.keys, secret: secrets[0], previousSecrets: secrets.slice(1) })
  const earlier = registryOf(previous)
  const ids = new Map<string, string>()
  for (const name of names) ids.set(name, (await earlier.issue({ name }, operator)).key.id)
  const cwd = temporaryFolder(t)
  const generation = generationOf(previous)
  return {
    ...made,
    earlier,
    current: registryOf(made.secret, previous),
    generation,
    idOf: (name: string): string => ids.get(name) ?? '',
    out: join(cwd, 'tokens.txt'),
    lines: (file = 'tokens.txt'): Line[] =>
      readFileSync(join(cwd, file), 'utf8')
        .split('\n')
        .slice(0, -1)
        .map(line => JSON.parse(line) as Line),
    rotate: async (args: string[] = [], isTTY = false): Promise<Ended> => {
      const usual = { '--generation': generation, '--out': 'tokens.txt' }
      const others = Object.entries(usual).filter(([name]) => !args.includes(name))
      return await command(t, 'key:rotate', { args: [...others.flat(), ...args], env: made.env, cwd, isTTY })
    }
  }
}

test('key:rotate --generation rotates only keys whose newest token has that generation, and writes a new file', async t => {
  const { rotate, lines, out, earlier, current, idOf, generation } = await world(t, ['a', 'b', 'off', 'gone', 'done'])
  await earlier.change(idOf('off'), { enabled: false }, operator)
  await earlier.revoke(idOf('gone'), null, operator)
  await current.rotate(idOf('done'), { graceSeconds: 60 }, operator)
  await current.issue({ name: 'new' }, operator)
  const { code, stdout, stderr } = await rotate(['--grace', '1h'])
  t.same([code, stderr], [0, ''])
  t.equal(
    stdout,
    `Client keys with a new token, which is active now: 3. The tokens are stored only in ${out}.
Their older tokens expire when the grace period ends, 1h after each rotation.
Client keys that already have a newer token, and were not changed: 1.
Environment keys, which this command does not rotate: 1. See trivial key secrets.\n`
  )
  t.equal(statSync(out).mode & 0o777, 0o600)
  t.same(
    lines().map(({ id, name }) => [id, name]),
    ['a', 'b', 'off'].map(name => [idOf(name), name])
  )
  for (const { id, key_access_token: token, ...rest } of lines()) {
    t.strictSame(Object.keys(rest), ['name'])
    const { allowed, reason, secret, key } = await current.inspect(token)
    t.same([allowed || reason === 'key_disabled', secret, key?.id], [true, 'current', id])
    const tokens = await current.tokens(id)
    t.equal(tokens.length, 2)
    t.ok(tokens.some(older => older.generation === generation && older.expiresAt !== null))
  }
  t.equal((await current.tokens(idOf('done'))).length, 2)
  t.notOk(lines().some(({ key_access_token: token }) => (stdout + stderr).includes(token)))

  t.match(await rotate(), { code: 1, stdout: '', stderr: /tokens\.txt already exists and was not changed/ })
  t.match(await rotate(['--out', 'second.txt']), {
    code: 0,
    stdout: /^No client key was rotated\.\nClient keys that already have a newer token, and were not changed: 4\.\nEnv/
  })
  t.throws(() => lines('second.txt'), { code: 'ENOENT' }, 'a file without tokens is deleted')
})

test('key:rotate --generation prints its result as JSON, and its progress in a terminal', async t => {
  const { rotate, lines, out, generation } = await world(
    t,
    Array.from({ length: 101 }, (_, i) => `key ${i}`)
  )
  const { code, stdout, stderr } = await rotate(['--json'], true)
  t.equal(code, 0)
  t.same(JSON.parse(stdout), {
    generation,
    rotated: 101,
    already_rotated: 0,
    refused: [],
    environment_keys: 1,
    file: out
  })
  t.match(stderr, '\r\u001b[K0 of 101 keys\r\u001b[K1 of 101 keys')
  t.equal(new Set(lines().map(({ key_access_token: token }) => token)).size, 101)
  t.match(JSON.parse((await rotate(['--json', '--out', 'second.txt'])).stdout), { rotated: 0, file: null })
})

test("a key that can't be rotated is reported, and the others are still rotated", async t => {
  const { rotate, lines, earlier, idOf } = await world(t, ['full', 'b'])
  for (let i = 1; i < 100; i++) await earlier.rotate(idOf('full'), { graceSeconds: 3600 }, operator)
  const { code, stdout, stderr } = await rotate()
  t.equal(code, 1)
  t.match(stdout, /active now: 1\. /)
  t.match(stderr, new RegExp(`^full \\(${idOf('full')}\\) was not rotated: [^\\n]+\\n$`))
  t.same(
    lines().map(({ name }) => name),
    ['b']
  )
})

test('tokens sealed with the current CLIENT_SECRET are not rotated, and the file must be writable', async t => {
  const { rotate, secret } = await world(t, ['a'])
  t.match(await rotate(['--generation', generationOf(secret)]), {
    code: 1,
    stdout: '',
    stderr: /^This is the generation of CLIENT_SECRET/
  })
  t.match(await rotate(['--out', 'none/tokens.txt']), {
    code: 1,
    stdout: '',
    stderr: /none\/tokens\.txt can't be created: /
  })
})

test("a key whose token can't be written is not rotated, and the file contains the tokens of the rotated keys", async t => {
  const { rotate, lines, current, idOf, generation, out } = await world(t, ['a', 'b'])
  const { appendFileSync } = fs
  const restore = (): void => {
    fs.appendFileSync = appendFileSync
    syncBuiltinESMExports()
  }
  t.teardown(restore)
  let left = 0
  fs.appendFileSync = (path, text) => {
    appendFileSync(path, left > 0 ? text : String(text).slice(0, 10))
    if (left-- === 0) throw new Error('the disk is full')
  }
  syncBuiltinESMExports()
  t.match(await rotate(), {
    code: 1,
    stdout: '',
    stderr:
      'Stopped: 0 of 2 keys were rotated. To rotate the other keys, run the command again with another ' +
      `--out.\n\n${out} can't be written: the disk is full\n`
  })
  t.throws(() => lines(), { code: 'ENOENT' })
  left = 1
  t.match(await rotate(), {
    code: 1,
    stdout: '',
    stderr: `Stopped: 1 of 2 keys were rotated, and their tokens are in ${out}. To rotate the other keys`
  })
  restore()
  t.match(lines(), [{ name: 'a' }])
  t.match(await current.tokens(idOf('b')), [{ generation, expiresAt: null }])
  t.equal((await current.tokens(idOf('b'))).length, 1)
  t.match(await rotate(['--out', 'rest.txt']), { code: 0, stdout: /active now: 1\.[^]*were not changed: 1\./ })
  t.match(lines('rest.txt'), [{ name: 'b' }])
})

test('if the database fails, a token that may be active stays in the file', async t => {
  const { rotate, lines, database } = await world(t, ['a'])
  const db = database()
  db.exec("create trigger full before insert on client_key_tokens begin select raise(abort, 'no more tokens'); end")
  t.match(await rotate(), { code: 1, stdout: '', stderr: /^Stopped: 0 of 1 keys[^]*SqliteError: no more tokens/ })
  t.match(lines(), [{ name: 'a' }])
  db.exec('drop trigger full')
  t.match(await rotate(['--out', 'again.txt']), { code: 0, stdout: /active now: 1\./ })
})

test('environment keys are mentioned only if there are any that are not revoked', async t => {
  const { cli, secret, generation, key, env } = await world(t, ['a'])
  const rotate = async (out: string, more = {}): Promise<string> =>
    (await cli('key:rotate', ['--generation', generation, '--out', join(temporaryFolder(t), out)], '', more)).stdout
  t.notMatch(await rotate('none.txt', { CLIENT_KEYS: '' }), 'Environment keys')
  t.match(await rotate('one.txt'), 'Environment keys')
  const storage = await openStorage(env['DATABASE_URL'])
  t.teardown(storage.close)
  const keys = createKeyService({ store: storage.keys, secret, allowList: [key.keyId] })
  for (const { key } of await keys.environmentKeys()) await keys.revoke(key.id, null, operator)
  t.notMatch(await rotate('revoked.txt'), 'Environment keys')
})
