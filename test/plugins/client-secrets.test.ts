import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import Fastify from 'fastify'
import type { FastifyInstance } from 'fastify'
import { test } from 'tap'
import type { Test } from 'tap'
import { app, createServer } from '../../app.ts'
import { ConfigError } from '../../config/read.ts'
import { backUp, openStorage } from '../../db/open.ts'
import { createKeyService } from '../../domain/keys/service.ts'
import { generationOf } from '../../domain/keys/token/token.ts'
import { Database } from '../../db/sqlite/driver.ts'
import config from '../../plugins/external/config.ts'
import { newSecret, operator, run, temporaryFolder } from '../helper.ts'
import { emptyPostgres, execute } from '../postgres.ts'

const [A, B, C] = [newSecret(), newSecret(), newSecret()]
const NAMES = new Map([A, B, C].map((secret, index) => [secret, 'ABC'.charAt(index)]))

/** An engine. `url` creates a database, which may not have tables yet, or returns null if no server is available. */
interface Engine {
  readonly name: string
  readonly url: (t: Test) => Promise<string | null>
  /** Undoes the migration that created the table of generations, and all later ones. */
  readonly downgrade: (url: string) => Promise<void>
}

const ENGINES: readonly Engine[] = [
  {
    name: 'SQLite',
    url: async t => `file:${join(temporaryFolder(t), 'test.db')}`,
    downgrade: async url => {
      const db = new Database(url.slice('file:'.length))
      db.exec(`drop table services; drop index client_keys_owner; alter table client_keys drop column owner;
        drop table secret_generations; drop trigger client_key_changes_follow; drop table client_key_changes;
        alter table database_marks drop column detail;
        delete from __drizzle_migrations
        where created_at in (select created_at from __drizzle_migrations order by created_at desc limit 3)`)
      db.close()
    }
  },
  {
    name: 'PostgreSQL',
    url: emptyPostgres,
    downgrade: async url => {
      await execute(
        url,
        `drop index client_key_changes_nonce_unique; drop function make_usage_day; drop function drop_usage_days;
        drop table secret_generations; alter table nodes drop column generations, drop column applies_bulk_changes;
        drop table services; alter table client_keys drop column owner;
        delete from __drizzle_migrations where created_at > (select min(created_at) from __drizzle_migrations)`
      )
    }
  }
]

const envOf = (
  url: string,
  [current = '', ...previous]: readonly string[],
  more: Record<string, string> = {}
): Record<string, string> => ({
  DATABASE_URL: url,
  CLIENT_SECRET: current,
  CLIENT_SECRET_PREVIOUS: previous.join(),
  CLIENT_KEYS: 'xxx',
  LOG_LEVEL: 'silent',
  ...more
})

/** Starts a service with secrets, the current one first. It runs until it's closed or the test ends. */
const start = async (
  t: Test,
  url: string,
  secrets: readonly string[],
  more?: Record<string, string>
): Promise<FastifyInstance> => {
  const fastify = await createServer(envOf(url, secrets, more))
  t.teardown(() => fastify.close())
  return fastify
}

/** Starts and closes a service. Returns whether it was able to start. */
const isAccepted = async (url: string, secrets: readonly string[], more?: Record<string, string>): Promise<boolean> => {
  try {
    await (await createServer(envOf(url, secrets, more))).close()
    return true
  } catch (error) {
    if (error instanceof ConfigError) return false
    throw error
  }
}

const written = (secrets: readonly string[]): string => secrets.map(secret => NAMES.get(secret)).join('+')

/** Starts and closes services one after another. Each line contains the secrets, and whether they are accepted. */
const starts = async (
  t: Test,
  url: string,
  lines: readonly [secrets: string[], accepted: boolean][]
): Promise<void> => {
  for (const [index, [secrets, accepted]] of lines.entries()) {
    t.equal(await isAccepted(url, secrets), accepted, `start ${index + 1}, with ${written(secrets)}`)
  }
}

for (const { name, url: newUrl, downgrade } of ENGINES) {
  test(`${name}: the service refuses to start with another secret, and the message explains what to do`, async t => {
    const url = await newUrl(t)
    if (url === null) return
    t.ok(await isAccepted(url, [A]), 'a new database accepts any secret')
    const error = await createServer(envOf(url, [B, C])).catch((error: unknown) => error)
    t.type(error, ConfigError)
    const { message } = error as ConfigError
    t.equal(
      message,
      `CLIENT_SECRET: the database is in use with other secrets. Their generations are ${generationOf(A)}, but the ` +
        `generations configured here are ${generationOf(B)}, ${generationOf(C)}. Set CLIENT_SECRET to the secret in ` +
        'use; to replace that secret, move it to CLIENT_SECRET_PREVIOUS. If the secret in use is lost, start once ' +
        'with ALLOW_NEW_SECRET=true; the tokens that it sealed will still be refused.'
    )
    t.notOk([A, B, C].some(secret => message.includes(secret)))
    t.ok(await isAccepted(url, [A]), 'the refused service has changed nothing')
  })

  test(`${name}: a secret can be replaced step by step, and is not accepted again after it is removed`, async t => {
    const url = await newUrl(t)
    if (url === null) return
    await starts(t, url, [
      [[A], true],
      [[B, A], true],
      // One node doesn't have the new secret yet, but another one does.
      [[A], true],
      [[B, A], true],
      [[B], true],
      [[A], false],
      [[C, A], false],
      [[A, B], true],
      [[A], true],
      [[B], false]
    ])
    await starts(t, url, [
      // Every node first gets the new secret as a previous secret.
      [[A, C], true],
      [[A], true],
      [[C, A], true],
      [[A, C], true],
      [[C], true],
      [[A], false],
      // A repeated secret counts once.
      [[C, C], true],
      [[C], true]
    ])
  })

  test(`${name}: ALLOW_NEW_SECRET accepts any secret, and then no other secret is accepted`, async t => {
    const url = await newUrl(t)
    if (url === null) return
    t.ok(await isAccepted(url, [A]))
    t.ok(await isAccepted(url, [B], { ALLOW_NEW_SECRET: 'true' }))
    await starts(t, url, [
      [[A], false],
      [[B], true]
    ])
  })

  test(`${name}: if two services with different secrets start at the same time, one is refused`, async t => {
    for (let round = 0; round < 3; round++) {
      const url = await newUrl(t)
      if (url === null) return
      const results = await Promise.allSettled([start(t, url, [A]), start(t, url, [B])])
      t.same(results.map(({ status }) => status).sort(), ['fulfilled', 'rejected'])
      for (const result of results) {
        if (result.status === 'fulfilled') await result.value.close()
        else t.type(result.reason, ConfigError)
      }
    }
  })

  test(`${name}: if two processes with different secrets start at the same time, one of them serves`, async t => {
    const url = await newUrl(t)
    if (url === null) return
    const processes = [A, B].map(secret =>
      run(t, 'server.ts', { env: { ...envOf(url, [secret]), LOG_LEVEL: 'info', PORT: '0' } })
    )
    const results = await Promise.allSettled(processes.map(({ prints }) => prints('Server listening')))
    t.same(results.map(({ status }) => status).sort(), ['fulfilled', 'rejected'])
    const refused = processes[results.findIndex(({ status }) => status === 'rejected')]
    t.match(await refused?.ended, {
      code: 1,
      stderr: /^CLIENT_SECRET \(set in the environment\): the database is in use with other secrets\. /
    })
  })

  test(`${name}: after an upgrade, the secrets of active tokens are in use`, async t => {
    const url = await newUrl(t)
    if (url === null) return
    const storage = await openStorage(url)
    const issue = async (secret: string): Promise<string> =>
      (await createKeyService({ store: storage.keys, secret }).issue({ name: randomUUID() }, operator)).key.id
    await issue(A)
    await createKeyService({ store: storage.keys, secret: B }).revoke(await issue(B), null, operator)
    await storage.close()
    await downgrade(url)
    await starts(t, url, [
      [[B], false],
      [[C, A], true],
      [[C], true],
      [[A], false]
    ])
  })

  test(`${name}: after an upgrade, any secret is accepted if no token is stored`, async t => {
    const url = await newUrl(t)
    if (url === null) return
    await (await openStorage(url)).close()
    await downgrade(url)
    await starts(t, url, [
      [[A], true],
      [[B], false]
    ])
  })
}

test('a service that starts without changes writes nothing, so it can start with a full disk', async t => {
  const url = `file:${join(temporaryFolder(t), 'test.db')}`
  t.ok(await isAccepted(url, [A, B]))
  const db = new Database(url.slice('file:'.length))
  db.exec("create trigger full before insert on secret_generations begin select raise(abort, 'no more'); end")
  db.close()
  t.ok(await isAccepted(url, [B, A]))
  await t.rejects(createServer(envOf(url, [A])), /no more/)
})

test('a restored backup accepts the secrets that were in use when it was created', async t => {
  const folder = temporaryFolder(t)
  const url = `file:${join(folder, 'test.db')}`
  const backup = join(folder, 'backup.db')
  t.ok(await isAccepted(url, [A]))
  await backUp(url, backup, () => {})
  await starts(t, url, [
    [[B, A], true],
    [[B], true]
  ])
  await starts(t, `file:${backup}`, [
    [[B], false],
    [[B, A], true]
  ])
})

test('a service that starts with ALLOW_NEW_SECRET logs a warning', async t => {
  const lines: string[] = []
  const stream = { write: (line: string) => lines.push(line) }
  const url = `file:${join(temporaryFolder(t), 'test.db')}`
  for (const ALLOW_NEW_SECRET of ['false', 'true']) {
    const fastify = Fastify({ logger: { level: 'warn', stream } })
    await fastify.register(config, { env: envOf(url, [A], { ALLOW_NEW_SECRET }) })
    await fastify.register(app)
    await fastify.close()
  }
  const warnings = lines.filter(line => line.includes('SECRET'))
  t.equal(warnings.length, 1)
  t.match(warnings[0], /"level":40,.*"msg":"ALLOW_NEW_SECRET is true, .* remove it/)
})
