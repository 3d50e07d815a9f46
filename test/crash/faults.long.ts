import { spawnSync } from 'node:child_process'
import { statSync } from 'node:fs'
import { test } from 'tap'
import type { Test } from 'tap'
import { Database } from '../../db/sqlite/driver.ts'
import { at, eventually, run, settings } from '../helper.ts'
import type { Settings } from '../helper.ts'
import { LISTENING } from '../http/service.ts'
import { call, databaseOf, failuresOf, headOf, launch } from './process.ts'
import type { Reply } from './process.ts'

interface Issued {
  id: string
  name: string
  key_access_token: string
}

/** Returns functions that send requests to the server on a port, with the environment key or with a token. */
const clientOf = (port: number, { key }: Settings) => ({
  ask: async (method: string, path: string, body?: unknown) => await call(port, key.keyAccessToken, method, path, body),
  issue: async (name: string, metadata: object = {}): Promise<Issued> => {
    const { status, json } = await call(port, key.keyAccessToken, 'POST', '/client_keys', {
      name,
      scopes: ['apps:read'],
      metadata
    })
    if (status !== 201) throw new Error(`POST /client_keys returned ${status}`)
    return json as Issued
  },
  present: async ({ key_access_token: token }: Issued, path = '/client_keys/me') =>
    (await call(port, token, 'GET', path)).status
})

const refused = (t: Test, { status, headers, json }: Reply, what: string): void => {
  t.equal(status, 503, `${what} is refused`)
  t.equal(headers.get('retry-after'), '1')
  t.match(json, { code: 'SERVICE_UNAVAILABLE' })
}

test('while another process has locked the database, changes to keys get 503, and authentication works', async t => {
  const made = settings(t, { PORT: '0', LOG_LEVEL: 'info' })
  const server = run(t, 'server.ts', { env: made.env })
  await server.prints('Server listening')
  const { ask, issue, present } = clientOf(Number(LISTENING.exec(server.output().stdout)?.[1]), made)
  const changed = await issue('changed')
  const unseen = await issue('unseen')
  const url = `/client_keys/${changed.id}`

  const db = new Database(databaseOf(made.env))
  db.exec('begin immediate')
  const changes = [
    ['POST', '/client_keys', { name: 'new' }],
    ['PATCH', url, { description: 'Changed' }],
    ['POST', `${url}/rotate`, { grace_seconds: 0 }],
    ['POST', `${url}/revoke`, {}]
  ] as const
  const replies = Promise.all(changes.map(async ([method, path, body]) => await ask(method, path, body)))
  t.equal(
    await present(unseen, '/apps'),
    200,
    'a token that has never been used before is accepted while changes are waiting'
  )
  for (const [index, reply] of (await replies).entries()) {
    const [method, path] = at(changes, index)
    refused(t, reply, `${method} ${path}`)
  }
  t.equal(await present(changed), 200, 'a refused revocation and a refused rotation change nothing')
  t.equal((await ask('GET', '/client_keys')).status, 200)
  t.match((await ask('GET', url)).json, { description: null, revoked_at: null, tokens: [{ expires_at: null }] })
  t.equal((await ask('GET', '/ready')).status, 200)
  db.exec('rollback')
  db.close()

  await issue('new')
  t.match((await ask('PATCH', url, { description: 'Changed' })).json, { description: 'Changed' })
  t.equal((await ask('POST', `${url}/rotate`, { grace_seconds: 0 })).status, 200)
  t.equal(await present(changed), 401)
  // Uses that were counted in the meantime are stored.
  await eventually(async () => await hasOneUse({ ask }, unseen.id))
})

/** Returns whether exactly one use of a key is stored. */
const hasOneUse = async ({ ask }: Pick<ReturnType<typeof clientOf>, 'ask'>, id: unknown): Promise<boolean> =>
  (await ask('GET', `/client_keys/${String(id)}`)).json.tokens[0]?.use_count === 1

const ROOM_BYTES = 300_000
const MAX_KEYS = 200
const METADATA = { filler: 'x'.repeat(4000) }

/**
 * Limits the size of each file that a process writes, as a full disk would. Removes the limit if `bytes` is undefined.
 * The process must run without coverage, whose instrumentation aborts a process that can't write to a file.
 */
const limitFiles = (pid: number, bytes?: number): boolean =>
  spawnSync('prlimit', [`--pid=${pid}`, `--fsize=${bytes ?? 'unlimited'}:unlimited`]).status === 0

/** Returns a file size limit that lets the database grow a little. */
const smallFileLimit = (path: string): number =>
  Math.max(statSync(path).size, statSync(`${path}-wal`).size) + ROOM_BYTES

const skip = limitFiles(process.pid) ? false : 'prlimit is not available'

/** Fills a server's disk. Returns the keys that were acknowledged, and the name of a key that wasn't. */
const fill = async (t: Test, port: number, made: Settings): Promise<{ issued: Issued[]; lost: string }> => {
  const { ask } = clientOf(port, made)
  const issued: Issued[] = []
  let lost = ''
  for (const metadata of [METADATA, {}]) {
    for (let left = MAX_KEYS; left > 0; left--) {
      lost = `key ${issued.length}`
      const reply = await ask('POST', '/client_keys', { name: lost, metadata })
      if (reply.status === 201) issued.push(reply.json as Issued)
      else {
        refused(t, reply, `a new key with ${Object.keys(metadata).length === 0 ? 'little' : 'much'} data`)
        break
      }
    }
  }
  const {
    json: { id }
  } = await ask('GET', '/client_keys/me')
  const usesWritten = async (): Promise<number> =>
    (await ask('GET', `/client_keys/${String(id)}`)).json.tokens[0]?.use_count
  // Recorded usage needs less space than a change to a key, so it fits into the remaining space.
  for (let left = MAX_KEYS, last = -1, now = 0; last !== now && left > 0; left--) {
    ;[last, now] = [now, await usesWritten()]
  }
  t.ok(issued.length > 2 && issued.length < MAX_KEYS, `${issued.length} keys were stored before the disk was full`)
  return { issued, lost }
}

test(
  'on a full disk, changes get 503, reads and authentication work, and the service recovers when there is space again',
  { skip },
  async t => {
    const made = settings(t, { PORT: '0', LOG_LEVEL: 'info' })
    const server = launch(t, made.env)
    const port = await server.listening
    const { ask, issue, present } = clientOf(port, made)
    const unseen = await issue('unseen')
    const changed = await issue('changed')
    const url = `/client_keys/${changed.id}`

    limitFiles(server.pid, smallFileLimit(databaseOf(made.env)))
    const { issued, lost } = await fill(t, port, made)
    refused(t, await ask('PATCH', url, { metadata: METADATA }), 'PATCH')
    refused(t, await ask('POST', `${url}/rotate`, { grace_seconds: 0 }), 'a rotation')
    refused(t, await ask('POST', `${url}/revoke`, {}), 'a revocation')
    t.equal(await present(changed), 200, 'a refused revocation and a refused rotation change nothing')
    t.equal(await present(unseen, '/apps'), 200, 'a token that has never been used before is accepted')
    t.equal((await ask('GET', '/apps')).status, 200)
    t.equal(
      (await ask('GET', '/client_keys')).json.length,
      issued.length + 3,
      'the list contains exactly the acknowledged keys'
    )
    t.match(
      (await ask('GET', `/client_keys/${unseen.id}`)).json,
      { last_used_at: null },
      "a use that can't be stored does not cause a failure"
    )
    t.equal((await ask('GET', '/ready')).status, 200)
    t.same(
      await Promise.all(issued.map(async key => await present(key))),
      issued.map(() => 200)
    )

    limitFiles(server.pid)
    await issue(lost)
    t.equal((await ask('POST', `${url}/revoke`, {})).status, 200)
    t.equal(await present(changed), 401)
    // Uses that were counted in the meantime are stored.
    await eventually(async () => await hasOneUse({ ask }, unseen.id))
    server.kill('SIGTERM')
    t.equal(await server.ended, 0)
    t.same(failuresOf(databaseOf(made.env)), [])
    await t.resolves(headOf(databaseOf(made.env)), 'the audit trail is intact')
  }
)

for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
  test(`a service that is stopped with ${signal} while the disk is full loses nothing`, { skip }, async t => {
    const made = settings(t, { PORT: '0', LOG_LEVEL: 'info' })
    const first = launch(t, made.env)
    const port = await first.listening
    const unseen = await clientOf(port, made).issue('unseen')
    limitFiles(first.pid, smallFileLimit(databaseOf(made.env)))
    const { issued, lost } = await fill(t, port, made)
    first.kill(signal)
    t.equal(await first.ended, signal === 'SIGTERM' ? 0 : null)
    t.same(failuresOf(databaseOf(made.env)), [])

    const second = launch(t, made.env)
    const { ask, issue, present } = clientOf(await second.listening, made)
    t.same(
      await Promise.all([unseen, ...issued].map(async key => await present(key))),
      [unseen, ...issued].map(() => 200)
    )
    t.equal(
      (await ask('GET', '/client_keys')).json.length,
      issued.length + 2,
      'the list contains exactly the acknowledged keys'
    )
    await issue(lost)
    second.kill('SIGTERM')
    t.equal(await second.ended, 0)
    t.same(failuresOf(databaseOf(made.env)), [])
    await t.resolves(headOf(databaseOf(made.env)), 'the audit trail is intact')
  })
}
