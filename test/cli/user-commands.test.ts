import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'tap'
import type { Test } from 'tap'
import { openStorage } from '../../db/open.ts'
import type { Storage } from '../../db/storage.ts'
import { createAuditService } from '../../domain/audits/service.ts'
import { createPasswordHasher } from '../../domain/users/passwords.ts'
import { createUserService } from '../../domain/users/service.ts'
import type { UserService } from '../../domain/users/service.ts'
import { Database } from '../../db/sqlite/driver.ts'
import { required, settings, temporaryFolder } from '../helper.ts'
import { postgresDatabase } from '../postgres.ts'
import { command } from './terminal.ts'
import type { Ended } from './terminal.ts'

interface Sampled {
  cli: (name: string, args?: readonly string[], input?: string) => Promise<Ended>
  json: (name: string, ...args: string[]) => Promise<unknown>
  storage: Storage
  users: UserService
  folder: string
  url: string
}

/** Creates a command line for a database that contains the sample data. */
const sampleTerminal = async (t: Test, databaseUrl?: string): Promise<Sampled> => {
  const { env } = settings(t, databaseUrl === undefined ? {} : { DATABASE_URL: databaseUrl })
  const folder = temporaryFolder(t)
  const cli: Sampled['cli'] = async (name, args = [], input = '') =>
    await command(t, name, { env, args, input, cwd: folder })
  t.equal((await cli('db:sample')).code, 0)
  const storage = await openStorage(env.DATABASE_URL)
  t.teardown(storage.close)
  return {
    cli,
    json: async (name, ...args) => {
      const { code, stdout, stderr } = await cli(name, [...args, '--json'])
      t.same([code, stderr], [0, ''], name)
      return JSON.parse(stdout) as unknown
    },
    storage,
    users: createUserService(storage),
    folder,
    url: env.DATABASE_URL
  }
}

const SOURCE = { address: '192.0.2.7', userAgent: undefined, requestId: 'r' }

const signIn = async (users: UserService, email: string): Promise<void> => {
  await users.signIn(required((await users.findAccount(email)) ?? undefined, email), SOURCE)
}

const lastAudit = async (storage: Storage) =>
  (await createAuditService(storage).page({}, { limit: 1 })).audits.map(({ action, actor, subject, changes }) => ({
    action,
    kind: actor.kind,
    subject: `${subject.type} ${subject.id}`,
    changes: JSON.parse(changes) as unknown
  }))

/** Checks the commands with the sample data, on any engine. */
const checkCommands = async (t: Test, databaseUrl?: string): Promise<void> => {
  const { cli, json, storage, users } = await sampleTerminal(t, databaseUrl)
  const ids = async (...args: string[]): Promise<unknown[]> =>
    ((await json('user:list', ...args)) as { id: number }[]).map(({ id }) => id)
  t.same(await ids(), [1, 2, 3, 4])
  t.same(await ids('--name', 'Ada'), [1])
  t.same(await ids('--email', 'BEN@'), [2])
  t.same(await ids('--role', 'admin'), [4])
  t.same(await ids('--locked', 'true'), [])

  await signIn(users, 'ada@example.com')
  await signIn(users, 'ada@example.com')
  const ada = { id: 1, name: 'Ada Moreno', email: 'ada@example.com', role: 'member', account_locked: false }
  t.match(await json('user:show', 'Ada@Example.com'), {
    ...ada,
    has_password: true,
    sessions: 2,
    organizations: [{ id: 1, name: 'Northwind Accounting', role: 'admin' }],
    apps: ['70e2d94bc6a18f', 'b53f8a16d7e0c9', '1d84e6c0f29ba7'],
    deleted_apps: 0,
    grants: 0
  })

  t.match(await json('user:change', '1', '--name', 'Ada M.', '--email', 'Ada@Example.org', '--role', 'admin'), {
    ...ada,
    name: 'Ada M.',
    email: 'ada@example.org',
    role: 'admin'
  })
  t.match(await lastAudit(storage), [
    { action: 'user.update', kind: 'cli', subject: 'user 1', changes: { role: { from: 'member', to: 'admin' } } }
  ])
  t.match(await json('user:show', '1'), { sessions: 0 }, 'changing the address ends the sessions')
  t.match(await cli('user:change', ['2', '--email', 'ADA@example.org']), {
    code: 1,
    stdout: '',
    stderr: /^Another user already has this e-mail address/
  })

  await signIn(users, 'ben@example.com')
  t.match(await json('user:lock', '2'), { id: 2, account_locked: true })
  t.match(await json('user:show', '2'), { account_locked: true, sessions: 0 })
  t.same(await ids('--locked', 'true'), [2])
  t.match(await json('user:unlock', 'ben@example.com'), { id: 2, account_locked: false })
  t.match(await lastAudit(storage), [
    { kind: 'cli', subject: 'user 2', changes: { account_locked: { from: true, to: false } } }
  ])

  await signIn(users, 'ben@example.com')
  t.equal((await cli('user:password', ['2', '--stdin'], 'seven green kettles\n')).code, 0)
  const { passwordHash } = required((await users.findAccount('ben@example.com')) ?? undefined, 'Ben')
  t.ok(await createPasswordHasher().verify(passwordHash, 'seven green kettles'))
  t.match(await json('user:show', '2'), { sessions: 0 })
  t.match(await lastAudit(storage), [{ kind: 'cli', subject: 'user 2', changes: { password: { changed: true } } }])
}

test('the commands show, change, lock and unlock users, and set their passwords', async t => {
  await checkCommands(t)
})

test('the commands work on PostgreSQL too', async t => {
  const url = await postgresDatabase(t)
  if (url !== null) await checkCommands(t, url)
})

test("the commands' output is readable", async t => {
  const { cli, storage } = await sampleTerminal(t)
  const printed = async (name: string, ...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await cli(name, args)
    t.same([code, stderr], [0, ''], name)
    return stdout
  }
  t.match(
    await printed('user:list'),
    /^ID +NAME +EMAIL +ROLE +LOCKED +CREATED\n1 +Ada Moreno +ada@example\.com +member +no +2026/
  )
  t.equal(await printed('user:list', '--locked', 'true'), 'No user matches.\n')
  t.match(
    await printed('user:lock', '1'),
    /^The user Ada Moreno <ada@example\.com> is locked, and all sessions were ended\. Run user unlock to let the user sign in again\.\n$/
  )
  t.match(await printed('user:list', '--role', 'member'), /\n1 .* yes +2026/)
  t.match(
    await printed('user:show', '1'),
    /\nlocked +yes\npassword +set\nsessions +0\norganizations +1 Northwind Accounting \(admin\)\napps +70e2d94bc6a18f, /
  )
  t.equal(await printed('user:unlock', '1'), 'The user Ada Moreno <ada@example.com> is unlocked and can sign in.\n')
  t.match(await printed('user:change', '1', '--name', 'Ada'), /^The user was changed:\n\nid +1\nname +Ada\nemail +ada@/)
  await storage.write(async ({ users, apps }) => {
    const eve = {
      name: 'Eve',
      email: 'eve@example.com',
      role: 'member',
      passwordHash: null,
      colorTheme: 'dark'
    } as const
    await users.insert({ ...eve, createdAt: new Date() })
    for (const owner of [1, 2, 3]) {
      await apps.setOwnerOfAll({ type: 'User', id: owner }, { type: 'User', id: 4 }, new Date())
      await apps.setOwnerOfAll({ type: 'Organization', id: owner }, { type: 'User', id: 4 }, new Date())
    }
  })
  t.match(
    await printed('user:show', 'eve@example.com'),
    /\ncolor_theme +dark\n[^]*\npassword +none, so the user can't sign in\nsessions +0\norganizations +-\napps +-\n/
  )
  t.match(await printed('user:show', '4'), /\napps +([0-9a-f]{14}, ){10}and \d+ more\n/)
})

test('user:list can list any number of users', async t => {
  const { json, storage } = await sampleTerminal(t)
  await storage.write(async ({ users }) => {
    for (let i = 0; i < 1000; i++) {
      const name = `User ${i}`
      await users.insert({ name, email: `${i}@example.com`, role: 'member', passwordHash: null, createdAt: new Date() })
    }
  })
  t.equal(((await json('user:list')) as unknown[]).length, 1004)
})

test('an unknown user causes exit code 1', async t => {
  const { cli } = await sampleTerminal(t)
  for (const name of ['user:show', 'user:change', 'user:lock', 'user:unlock', 'user:password']) {
    const more = name === 'user:change' ? ['--name', 'a'] : name === 'user:password' ? ['--out', 'password.txt'] : []
    t.same(
      await cli(name, ['99', ...more]),
      { code: 1, stdout: '', stderr: 'No user has this id. Check the id.\n' },
      name
    )
    t.match(await cli(name, ['nobody@example.com', ...more]), { code: 1, stderr: 'No user has this e-mail address.\n' })
  }
})

test('a new password is written to a new file that only its owner can read, and nowhere else', async t => {
  const { cli, users, folder, url, storage } = await sampleTerminal(t)
  await signIn(users, 'ada@example.com')
  const path = join(folder, 'password.txt')
  const ended = await cli('user:password', ['1', '--out', 'password.txt'])
  t.same(ended, {
    code: 0,
    stdout:
      'The password of Ada Moreno <ada@example.com> was set, and all sessions were ended. The password is stored ' +
      `only in ${path}.\n`,
    stderr: ''
  })
  t.equal(statSync(path).mode & 0o777, 0o600)
  const line = JSON.parse(readFileSync(path, 'utf8')) as { password: string }
  t.match(line, { id: 1, email: 'ada@example.com', password: /^[\w-]{24}$/ })
  const hashOf = async () => (await users.findAccount('ada@example.com'))?.passwordHash ?? null
  const hash = await hashOf()
  t.ok(await createPasswordHasher().verify(hash, line.password))
  t.notMatch(JSON.stringify(await lastAudit(storage)), line.password)

  t.match(await cli('user:password', ['1', '--out', 'password.txt']), { code: 1, stderr: /already exists/ })
  const json = await cli('user:password', ['1', '--out', 'second.txt', '--json'])
  t.strictSame(Object.keys(JSON.parse(json.stdout) as object).includes('password'), false)
  const second = await hashOf()
  t.not(second, hash)

  const holder = new Database(url.slice('file:'.length))
  t.teardown(() => {
    holder.close()
  })
  holder.exec("create trigger full before update on users begin select raise(abort, 'no more users'); end")
  t.match(await cli('user:password', ['1', '--out', 'perhaps.txt']), { code: 1, stderr: /no more users/ })
  t.match(readFileSync(join(folder, 'perhaps.txt'), 'utf8'), '"password":', 'the password may have been set')
  holder.exec('drop trigger full')
  holder.exec('begin immediate')
  t.match(await cli('user:password', ['1', '--out', 'none.txt']), {
    code: 1,
    stderr: /^The database is unavailable/
  })
  holder.exec('rollback')
  t.throws(() => statSync(join(folder, 'none.txt')), { code: 'ENOENT' }, 'nothing was changed')
  t.equal(await hashOf(), second)
})

test('a password on standard input must not be missing or weak', async t => {
  const { cli, users } = await sampleTerminal(t)
  const before = await users.findAccount('ada@example.com')
  for (const [input, issue] of [
    ['', 'There is no password on standard input.'],
    ['\n', 'There is no password on standard input.'],
    ['short\n', 'password must have at least 12 characters'],
    ['Ada@Example.com', 'password must differ from the name and the e-mail address']
  ] as const) {
    t.same(await cli('user:password', ['1', '--stdin'], input), { code: 1, stdout: '', stderr: `${issue}\n` })
  }
  t.same(await users.findAccount('ada@example.com'), before)
  t.match(await cli('user:password', ['1', '--stdin'], 'seven green kettles\r\n'), {
    code: 0,
    stdout: 'The password of Ada Moreno <ada@example.com> was set, and all sessions were ended.\n'
  })
})
