import { accessSync, chmodSync, copyFileSync, existsSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'tap'
import type { Test } from 'tap'
import { openStorage } from '../../db/open.ts'
import { Database } from '../../db/sqlite/driver.ts'
import { newSecret, root, temporaryFolder } from '../helper.ts'
import { inSqlite } from './copied.ts'
import { command } from './terminal.ts'

const NOBODY = 65_534

/**
 * Runs `work` as a user who is subject to file modes, unlike root. Does nothing if the process can't change its user.
 */
const asUnprivilegedUser = async (t: Test, work: () => Promise<void>): Promise<void> => {
  if (process.getuid?.() !== 0) {
    await work()
    return
  }
  try {
    process.seteuid?.(NOBODY)
    // Modules are also loaded as this user.
    accessSync(root)
    await work()
  } catch (error) {
    if (!/^E(PERM|ACCES)$/.test(String((error as { code?: unknown }).code))) throw error
    t.pass('skipped', { skip: `the modes of files do not apply to this process: ${String(error)}` })
  } finally {
    process.seteuid?.(0)
  }
}

/** Creates a database with a key in a separate folder. The database isn't open in any process. */
const filled = async (t: Test) => {
  const folder = temporaryFolder(t)
  const path = join(folder, 'test.db')
  const env = { DATABASE_URL: `file:${path}`, CLIENT_SECRET: newSecret() }
  t.equal((await command(t, 'key:issue', { env, args: ['--name', 'billing'] })).code, 0)
  return { folder, path, env }
}

/** Removes the write permissions of a folder and its files until the test ends. */
const makeReadOnly = (t: Test, folder: string): void => {
  for (const name of readdirSync(folder)) chmodSync(join(folder, name), 0o444)
  chmodSync(folder, 0o555)
  t.teardown(() => {
    chmodSync(folder, 0o700)
  })
}

/** Returns the names, modification times and sizes of a folder's files, so that changes can be detected. */
const stateOf = (folder: string): unknown =>
  ['.', ...readdirSync(folder)].map(name => {
    const { mtimeNs, size } = statSync(join(folder, name), { bigint: true })
    return [name, String(mtimeNs), String(size)]
  })

const READING = [
  ['audit:verify', [], /^The audit trail is intact\. The last entry is 1:/],
  ['audit:list', [], /\n1 .* client_key\.issue +client_key /],
  ['user:list', [], /^No user matches\.\n/],
  ['key:list', [], /\n\S+ +billing +active /],
  ['key:show', ['billing'], /\nname +billing\n/],
  ['key:secrets', [], /\n\S+ +CLIENT_SECRET +managed +1 +never\n/],
  ['node:list', [], /^There are no nodes/],
  ['db:backup', ['copy.db'], /^The database \S+ was backed up: /]
] as const

/** Runs every read-only command. */
const readAll = async (t: Test, env: Record<string, string>, cwd: string): Promise<void> => {
  for (const [name, args, printed] of READING) {
    const ended = await command(t, name, { env, args, cwd })
    t.match(ended, { code: 0, stderr: '', stdout: printed }, name)
  }
}

/** Creates a folder that any user can write to. */
const openFolder = (t: Test): string => {
  const folder = temporaryFolder(t)
  chmodSync(folder, 0o777)
  return folder
}

test('read-only commands change nothing and create no files', async t => {
  const { folder, env } = await filled(t)
  const before = stateOf(folder)
  await readAll(t, env, openFolder(t))
  t.same(stateOf(folder), before)
})

test('a database in a read-only folder can be read', async t => {
  const { folder, env } = await filled(t)
  makeReadOnly(t, folder)
  const before = stateOf(folder)
  const cwd = openFolder(t)
  await asUnprivilegedUser(t, async () => {
    await readAll(t, env, cwd)
    t.match(await command(t, 'key:revoke', { env, args: ['billing'] }), { code: 1, stderr: /can't be opened/ })
  })
  t.same(stateOf(folder), before)
})

test('a database that is open, or was not closed properly, is read together with its write-ahead log', async t => {
  const { folder, path, env } = await filled(t)
  const holder = new Database(path)
  holder.exec("update client_keys set name = 'renamed'")
  const copyOf = (suffixes: readonly string[]) => {
    const copy = temporaryFolder(t)
    for (const suffix of suffixes) copyFileSync(path + suffix, join(copy, `test.db${suffix}`))
    return {
      copy,
      show: async (name: string) =>
        await command(t, 'key:show', { env: { ...env, DATABASE_URL: `file:${join(copy, 'test.db')}` }, args: [name] })
    }
  }
  const [all, withoutIndex, alone] = [['', '-wal', '-shm'], ['', '-wal'], ['']].map(copyOf)
  t.equal((await command(t, 'key:show', { env, args: ['renamed'] })).code, 0)
  holder.close()
  t.same(readdirSync(folder), ['test.db'])
  t.equal((await command(t, 'key:show', { env, args: ['renamed'] })).code, 0)
  t.equal((await alone?.show('billing'))?.code, 0)
  for (const { copy } of [all, withoutIndex].filter(made => made !== undefined)) makeReadOnly(t, copy)
  await asUnprivilegedUser(t, async () => {
    t.equal((await all?.show('renamed'))?.code, 0)
    t.match(await withoutIndex?.show('renamed'), {
      code: 1,
      stderr: /the last changes are in \S+-wal, which can't be read without \S+-shm, .* Copy the database and the files/
    })
  })
})

test('a database that a service has opened but not written to can be read', async t => {
  const { folder, env } = await filled(t)
  const storage = await openStorage(env.DATABASE_URL)
  t.same(readdirSync(folder), ['test.db', 'test.db-shm', 'test.db-wal'])
  t.equal(statSync(join(folder, 'test.db-wal')).size, 0)
  t.equal((await command(t, 'key:show', { env, args: ['billing'] })).code, 0)
  await storage.close()
  writeFileSync(join(folder, 'test.db-wal'), '')
  t.equal((await command(t, 'key:show', { env, args: ['billing'] })).code, 0)
  t.same(readdirSync(folder), ['test.db', 'test.db-wal'], 'an empty write-ahead log is ignored')
})

test('a database of another version stays unchanged, and the command reports that version', async t => {
  for (const [statement, words] of [
    ['update __drizzle_migrations set created_at = created_at - 1', /from an older version .* Run npm run db:migrate/],
    ['update __drizzle_migrations set created_at = created_at + 1', /a newer version of the program has changed its/],
    ['drop table __drizzle_migrations', /can't be opened: it was not created by this program\./]
  ] as const) {
    const { folder, env } = await filled(t)
    inSqlite(env.DATABASE_URL, db => db.exec(statement))
    const before = stateOf(folder)
    for (const name of ['audit:verify', 'key:list']) {
      t.match(await command(t, name, { env }), { code: 1, stdout: '', stderr: words }, name)
    }
    t.same(stateOf(folder), before)
  }
})

test('a file that is not a database is reported, with or without a write-ahead log', async t => {
  const folder = openFolder(t)
  const env = { DATABASE_URL: `file:${join(folder, 'text.db')}`, CLIENT_SECRET: newSecret() }
  writeFileSync(join(folder, 'text.db'), 'mine'.repeat(1000))
  const expected = { code: 1, stderr: /text\.db can't be opened: file is not a database/ }
  t.match(await command(t, 'key:list', { env }), expected)
  writeFileSync(join(folder, 'text.db-wal'), 'mine')
  t.match(await command(t, 'key:list', { env }), expected)
})

test('a missing database is treated as empty, and is not created', async t => {
  const folder = temporaryFolder(t)
  const env = { DATABASE_URL: `file:${join(folder, 'none.db')}`, CLIENT_SECRET: newSecret() }
  t.match(await command(t, 'key:list', { env }), { code: 0, stdout: /^There are no client keys/ })
  t.match(await command(t, 'audit:verify', { env }), { code: 1, stderr: /^There is no database/ })
  t.notOk(existsSync(join(folder, 'none.db')))
})

test('a command reports that another process changed the file while it was being read', async t => {
  const { env } = await filled(t)
  const storage = await openStorage(env.DATABASE_URL, { readOnly: true })
  await storage.read(async ({ keys }) => await keys.findByName('billing'))
  t.equal((await command(t, 'key:revoke', { env, args: ['billing'] })).code, 0)
  await t.rejects(
    storage.close(),
    /changed while it was being read, so the result may be wrong\. Run the command again/
  )
})
