import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import tap, { test } from 'tap'
import type { Test } from 'tap'
import { createServer } from '../../app.ts'
import { required, settings } from '../helper.ts'
import type { Environment } from '../helper.ts'
import { connectDirectly } from '../contract/engines.ts'
import { pageOf } from '../docs/markdown.ts'
import { preparedWorkplace } from '../docs/workplace.ts'
import { execute, postgresDatabase } from '../postgres.ts'

const hasTools = ['psql', 'pg_dump', 'pg_restore'].every(tool => spawnSync(tool, ['--version']).status === 0)
const skip = (await postgresDatabase(tap)) === null || (!hasTools && 'psql, pg_dump and pg_restore are not installed')

/** Returns the code block on a page that contains a string. */
const blockWith = (path: string, text: string): string =>
  required(pageOf(path).blocks.find(block => block.language === 'sh' && block.text.includes(text))?.text, text)

/** Returns unique names for the databases and roles in the documentation, and drops them when the test ends. */
const testNames = (t: Test, admin: string) => {
  const unique = `trivial_test_${randomBytes(8).toString('hex')}`
  const { host } = new URL(admin)
  const [owner, serve] = [`${unique}_owner`, `${unique}_serve`] as const
  const urlOf = (role: string, name: string): string => `postgres://${role}:x@${host}/${name}`
  t.teardown(async () => {
    for (const name of [unique, `${unique}_restored`, `${unique}_replaced`]) {
      await execute(admin, `drop database if exists ${name} with (force)`)
    }
    await execute(admin, `drop role if exists ${owner}; drop role if exists ${serve}`)
  })
  return {
    owner,
    serve,
    serving: urlOf(serve, unique),
    owning: urlOf(owner, unique),
    /** Returns a script from the documentation, with these names. */
    named: (script: string): string =>
      script
        .replaceAll('postgres://postgres@db.example.com/postgres', admin)
        .replaceAll('trivial_owner@db.example.com', `trivial_owner:x@${host}`)
        .replaceAll(/trivial_(owner|serve|restored|replaced)\b/g, `${unique}_$1`)
        .replaceAll(/(database |rename to |\/)trivial(?![\w.-])/g, `$1${unique}`)
  }
}

interface Key {
  readonly id: string
  readonly token: string
}

/** Starts two nodes on a database, and checks that both accept or both refuse each token. */
const nodesOf = async (t: Test, env: Environment, token: string) => {
  const nodes = [await createServer(env), await createServer(env)] as const
  const close = async (): Promise<void> => {
    for (const node of nodes) await node.close()
  }
  t.teardown(close)
  const headers = { authorization: `Bearer ${token}` }
  return {
    close,
    issue: async (name: string): Promise<Key> => {
      const reply = await nodes[0].inject({ method: 'POST', url: '/client_keys', headers, payload: { name } })
      t.equal(reply.statusCode, 201, name)
      return { id: String(reply.json().id), token: String(reply.json().key_access_token) }
    },
    revoke: async ({ id }: Key): Promise<void> => {
      const reply = await nodes[1].inject({ method: 'POST', url: `/client_keys/${id}/revoke`, headers })
      t.equal(reply.statusCode, 200)
    },
    statusOf: async ({ token }: Key): Promise<number> => {
      const [one, other] = await Promise.all(
        nodes.map(async node => await node.inject({ url: '/apps', headers: { authorization: `Bearer ${token}` } }))
      )
      t.equal(one?.statusCode, other?.statusCode)
      return Number(one?.statusCode)
    }
  }
}

const WAITING = `select from pg_stat_activity
  where datname = current_database() and application_name = 'pg_dump' and wait_event_type = 'Lock'`

test('the documented commands back up a database while nodes are running, and restore it', { skip }, async t => {
  const admin = required((await postgresDatabase(t)) ?? undefined, 'PostgreSQL')
  const { owner, serve, owning, serving, named } = testNames(t, admin)
  const workplace = preparedWorkplace(t)
  const start = (script: string) => workplace.run(`set -a\n${named(script)}`)
  const run = async (path: string, text: string): Promise<string> => {
    const { code, output } = await start(blockWith(path, text))
    t.equal(code, 0, text, code === 0 ? {} : { output })
    return output
  }
  await run('docs/deploying.md', 'create role')
  await execute(admin, `alter role ${owner} password 'x'; alter role ${serve} password 'x'`)
  await run('docs/deploying.md', 'db:grants')

  const { env, key } = settings(t, { DATABASE_URL: serving })
  const before = await nodesOf(t, env, key.keyAccessToken)
  const names = ['kept', 'revoked', 'revoked during the dump', 'revoked later'] as const
  const [kept, revoked, revokedDuring, later] = (await Promise.all(names.map(before.issue))) as [Key, Key, Key, Key]
  await before.revoke(revoked)
  t.equal(await before.statusOf(kept), 200)

  // This lock blocks the dump after it has taken its snapshot.
  const holder = await connectDirectly(t, owning)
  await holder.query('begin; lock table database_marks in access exclusive mode')
  const dumped = run('docs/operating/backups.md', 'pg_dump')
  while ((await execute(owning, WAITING)).length === 0) await pause(10)
  await before.revoke(revokedDuring)
  const issuedDuring = await before.issue('issued during the dump')
  t.same([await before.statusOf(kept), await before.statusOf(revokedDuring)], [200, 401])
  await holder.end()
  await dumped
  await before.revoke(later)

  await run('docs/operating/backups.md', 'pg_restore')
  await before.close()
  const list = await run('docs/operating/backups.md', '$after')
  const lostChanges = list.split('\n').filter(line => line.includes('client_key.'))
  t.match(
    lostChanges,
    [revokedDuring.id, issuedDuring.id, later.id].map(id => new RegExp(`,client_key\\.\\w+,${id}$`))
  )
  await run('docs/operating/backups.md', 'rename to')

  const after = await nodesOf(t, env, key.keyAccessToken)
  const statuses = async () =>
    await Promise.all([kept, revoked, revokedDuring, later, issuedDuring].map(after.statusOf))
  t.same(await statuses(), [200, 401, 200, 200, 401], 'as at the time of the dump')
  for (const again of [revokedDuring, later]) await after.revoke(again)
  t.same(await statuses(), [200, 401, 401, 401, 401])
  t.equal((await start('npm run --silent audit:verify')).code, 0)
  await t.rejects(execute(serving, 'truncate audits'), { code: '42501' })
})
