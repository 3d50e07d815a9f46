import { test } from 'tap'
import type { Test } from 'tap'
import { openStorage } from '../../db/open.ts'
import { createAuditService } from '../../domain/audits/service.ts'
import { createUserService } from '../../domain/users/service.ts'
import { createPasswordHasher } from '../../domain/users/passwords.ts'
import { settings } from '../helper.ts'
import { command } from './terminal.ts'

const terminal = (t: Test) => {
  const { env } = settings(t)
  return {
    create: async (args: string[], input = '') => await command(t, 'user:create', { env, args, input }),
    services: async () => {
      const storage = await openStorage(env['DATABASE_URL'])
      t.teardown(storage.close)
      return { users: createUserService(storage), audits: createAuditService(storage) }
    }
  }
}

test('user:create creates a user with the password from standard input, or with a generated one', async t => {
  const { create, services } = terminal(t)
  const typed = await create(['--email', 'Ada@Example.com', '--name', 'Ada Moreno', '--admin'], 'seven green kettles\n')
  t.match(typed, {
    code: 0,
    stdout: 'The user Ada Moreno <ada@example.com> was created as an administrator.\n',
    stderr: ''
  })
  const made = await create(['--email', 'ben@example.com', '--name', 'Ben Okafor'])
  const [, password] = /can't be shown again: (\S{24})\n$/.exec(made.stdout) ?? []
  const json = JSON.parse((await create(['--email', 'eve@example.com', '--name', 'Eve Park', '--json'])).stdout)
  t.match(json, { id: 3, role: 'member', password: /^\S{24}$/ })
  t.notOk(
    'password' in
      JSON.parse(
        (await create(['--email', 'dan@example.com', '--name', 'Dan', '--json'], ' seven green kettles \r\n')).stdout
      )
  )
  const { users, audits } = await services()
  const { verify } = createPasswordHasher()
  for (const [email, secret, role] of [
    ['ada@example.com', 'seven green kettles', 'admin'],
    ['ben@example.com', String(password), 'member'],
    ['eve@example.com', json.password, 'member'],
    ['dan@example.com', ' seven green kettles ', 'member']
  ] as const) {
    const account = await users.findAccount(email)
    t.equal(account?.user.role, role)
    t.ok(await verify(account?.passwordHash ?? null, secret))
  }
  t.match((await audits.page({ action: 'user.create' }, { limit: 10 })).audits, [
    { actor: { kind: 'cli' } },
    {},
    {},
    {}
  ])
})

test('invalid input is rejected in one sentence, and nothing is created', async t => {
  const { create, services } = terminal(t)
  await create(['--email', 'ada@example.com', '--name', 'Ada'], 'seven green kettles')
  for (const [code, error, input, ...args] of [
    [1, 'Another user already has this e-mail address', '', '--email', 'ADA@example.com', '--name', 'Ada'],
    [2, '--email must be an e-mail address', '', '--email', 'ada', '--name', 'Ada'],
    [2, '--name must be well-formed text', '', '--email', 'b@example.com', '--name', ' '],
    [
      2,
      '--name must not contain a token or a key_id',
      '',
      '--email',
      'b@example.com',
      '--name',
      '0123456789abcdef'.repeat(2)
    ],
    [1, 'password must have at least 12 characters', 'short', '--email', 'b@example.com', '--name', 'B'],
    [1, 'password is one of the most common ones', 'qwerty123456', '--email', 'b@example.com', '--name', 'B'],
    [2, 'Specify an --email and a --name', '', '--email', 'b@example.com']
  ] as const) {
    const ended = await create([...args], input)
    t.equal(ended.code, code, error)
    t.equal(ended.stdout, '')
    t.ok(ended.stderr.startsWith(error), ended.stderr)
  }
  t.equal((await (await services()).users.page({ limit: 10, after: 0 })).users.length, 1)
})
