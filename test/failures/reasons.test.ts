import { join } from 'node:path'
import { test } from 'tap'
import type { Test } from 'tap'
import { createServer } from '../../app.ts'
import { toFailure } from '../../db/postgres/failures.ts'
import { Database } from '../../db/sqlite/driver.ts'
import { command } from '../cli/terminal.ts'
import { logLines, start } from '../http/service.ts'
import { at, run, settings, temporaryFolder } from '../helper.ts'
import { emptyPostgres, execute } from '../postgres.ts'

const executeIn = (url: string, statement: string): void => {
  const db = new Database(url.slice('file:'.length))
  db.exec(statement)
  db.close()
}

test("the log entry of a request with a 503 contains the database's message and the type of the error", async t => {
  const service = await start(t)
  const headers = service.headers
  const url = `http://127.0.0.1:${service.port}/organizations`
  t.equal((await fetch(url, { headers })).status, 200)
  executeIn(service.env['DATABASE_URL'], 'alter table organizations rename to hidden')
  t.equal((await fetch(url, { headers })).status, 503)
  service.process.kill('SIGTERM')
  const { stdout } = await service.ended
  t.match(
    logLines(stdout).filter(({ level }) => level === 50),
    [
      {
        err: { type: 'SERVICE_UNAVAILABLE', code: 'SERVICE_UNAVAILABLE', message: /no such table: organizations$/ },
        reason: 'no such table: organizations (SQLITE_ERROR)',
        msg: 'the request failed'
      }
    ]
  )
})

/** Starts a service that uses PostgreSQL, and collects the errors that it logs. */
const onPostgres = async (t: Test, url: string) => {
  const { env, key } = settings(t, { DATABASE_URL: url, KEY_LEASE_MS: '0' })
  const fastify = await createServer(env)
  t.teardown(() => fastify.close())
  const headers = { authorization: `Bearer ${key.keyAccessToken}` }
  return async (path: string) => {
    const errors = t.capture(fastify.log, 'error')
    const { statusCode } = await fastify.inject({ url: path, headers })
    return { statusCode, logged: at(errors()).args[0] as { reason: string } }
  }
}

test('the reason contains the SQLSTATE, but no values from the statement', async t => {
  const url = await emptyPostgres()
  if (url === null) return
  const get = await onPostgres(t, url)
  for (const [table, path] of [
    ['nodes', '/apps'],
    ['apps', '/apps'],
    ['audits', '/audits']
  ] as const) {
    await execute(url, `alter table ${table} rename to hidden`)
    const { statusCode, logged } = await get(path)
    await execute(url, `alter table hidden rename to ${table}`)
    t.equal(statusCode, 503, table)
    t.equal(logged.reason, `relation "${table}" does not exist (42P01)`)
  }
})

test("a server's message about a value is logged without the value", async t => {
  const url = await emptyPostgres()
  if (url === null) return
  const failure: unknown = await execute(url, "select 'hunter2'::uuid").catch(toFailure)
  t.match(failure, { message: 'invalid input syntax for type uuid: "…"', code: '22P02' })
})

test("a command prints the database's message", async t => {
  const { env } = settings(t)
  t.equal((await command(t, 'db:migrate', { env })).code, 0)
  executeIn(env.DATABASE_URL, 'drop table audit_head')
  t.match(await command(t, 'user:create', { env, args: ['--email', 'ada@example.com', '--name', 'Ada'] }), {
    code: 1,
    stdout: '',
    stderr: /^DATABASE_URL \(set in the environment\): the database .* can't be opened: no such table: audit_head\n$/
  })
})

test("a service that can't use its database at startup exits with a one-line message, without a stack trace", async t => {
  const { env } = settings(t, { PORT: '0' })
  t.equal((await command(t, 'db:migrate', { env })).code, 0)
  const holder = new Database(env.DATABASE_URL.slice('file:'.length))
  t.teardown(() => {
    holder.close()
  })
  holder.exec('begin immediate')
  const LOCKED =
    /^DATABASE_URL \(set in the environment\): the database can't be used: database is locked \(SQLITE_BUSY\)\.\n$/
  await t.rejects(createServer(env), {
    name: 'ConfigError',
    message: "DATABASE_URL: the database can't be used: database is locked (SQLITE_BUSY)."
  })
  const unusable: [env: Record<string, string>, stderr: RegExp][] = [
    [env, LOCKED],
    [
      { ...env, DATABASE_URL: `file:${temporaryFolder(t)}` },
      /^DATABASE_URL .*: the database .* can't be opened: EISDIR/
    ],
    [{ ...env, DATABASE_URL: 'postgres://a:hunter2@127.0.0.1:1/x' }, /^DATABASE_URL .*: the database .* ECONNREFUSED/],
    [
      { ...env, DATABASE_URL: 'postgres://a:b@127.0.0.1:1/x', DATABASE_CA: join(temporaryFolder(t), 'none') },
      /DATABASE_CA .+ must be the path/
    ],
    [{ ...env, REDIS_URL: 'x' }, /REDIS_URL/]
  ]
  for (const [each, stderr] of unusable) {
    const ended = await run(t, 'server.ts', { env: each }).ended
    t.equal(ended.code, 1)
    t.match(ended.stderr, stderr)
    t.notMatch(ended.stderr, /^ +at |hunter2/m)
  }
})
