import { spawnSync } from 'node:child_process'
import { statSync } from 'node:fs'
import { test } from 'tap'
import type { Test } from 'tap'
import { Database } from '../../db/sqlite/driver.ts'
import { at, run, settings } from '../helper.ts'
import type { Settings } from '../helper.ts'
import { LISTENING } from '../http/service.ts'
import { call, databaseOf, failuresOf, headOf, launch } from './process.ts'
import type { Answer } from './process.ts'

interface Issued {
  id: string
  name: string
  key_access_token: string
}

/** What may be asked of a server on a port, by the key of the environment or by a token. */
const clientOf = (port: number, { key }: Settings) => ({
  ask: async (method: string, path: string, body?: unknown) => await call(port, key.keyAccessToken, method, path, body),
  issue: async (name: string, metadata: object = {}): Promise<Issued> => {
    const { status, json } = await call(port, key.keyAccessToken, 'POST', '/client_keys', {
      name,
      scopes: ['apps:read'],
      metadata
    })
    if (status !== 201) throw new Error(`POST /client_keys answered ${status}`)
    return json as Issued
  },
  present: async ({ key_access_token: token }: Issued, path = '/client_keys/me') =>
    (await call(port, token, 'GET', path)).status
})

const refused = (t: Test, { status, headers, json }: Answer, what: string): void => {
  t.equal(status, 503, `${what} is refused`)
  t.equal(headers.get('retry-after'), '1')
  t.match(json, { code: 'SERVICE_UNAVAILABLE' })
}

test('while another process has the database locked, changes of keys are 503, and authentication goes on', async t => {
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
  const answers = Promise.all(changes.map(async ([method, path, body]) => await ask(method, path, body)))
  t.equal(await present(unseen, '/apps'), 200, 'a token that was never seen before is good while changes wait')
  for (const [index, answer] of (await answers).entries()) {
    const [method, path] = at(changes, index)
    refused(t, answer, `${method} ${path}`)
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
  t.match(
    (await ask('GET', `/client_keys/${unseen.id}`)).json,
    { tokens: [{ use_count: 1, last_used_at: String }] },
    'what was seen meanwhile is written down'
  )
})

const ROOM_BYTES = 300_000
const MAX_KEYS = 200
const METADATA = { filler: 'x'.repeat(4000) }

// For servers that are not measured: what measures them ends a process whose file can't grow, which Node does not.
/** Has every file of a process end at that many bytes, as a full disk would; without bytes, at none. */
const limitFiles = (pid: number, bytes?: number): boolean =>
  spawnSync('prlimit', [`--pid=${pid}`, `--fsize=${bytes ?? 'unlimited'}:unlimited`]).status === 0

/** The most that a file of a database may have, where there is a little room left. */
const littleRoom = (path: string): number => Math.max(statSync(path).size, statSync(`${path}-wal`).size) + ROOM_BYTES

const skip = limitFiles(process.pid) ? false : 'there is no prlimit here'

/** Fills the disk of a server until nothing fits, and answers the keys that were acknowledged and one that was not. */
const fill = async (t: Test, port: number, made: Settings): Promise<{ issued: Issued[]; lost: string }> => {
  const { ask } = clientOf(port, made)
  const issued: Issued[] = []
  let lost = ''
  for (const metadata of [METADATA, {}]) {
    for (let left = MAX_KEYS; left > 0; left--) {
      lost = `key ${issued.length}`
      const answer = await ask('POST', '/client_keys', { name: lost, metadata })
      if (answer.status === 201) issued.push(answer.json as Issued)
      else {
        refused(t, answer, `a new key with ${Object.keys(metadata).length === 0 ? 'little' : 'much'} to store`)
        break
      }
    }
  }
  const {
    json: { id }
  } = await ask('GET', '/client_keys/me')
  const usesWritten = async (): Promise<number> =>
    (await ask('GET', `/client_keys/${String(id)}`)).json.tokens[0]?.use_count
  // What is seen of keys is less than a change of one, and goes into what is left.
  for (let left = MAX_KEYS, last = -1, now = 0; last !== now && left > 0; left--) {
    ;[last, now] = [now, await usesWritten()]
  }
  t.ok(issued.length > 2 && issued.length < MAX_KEYS, `${issued.length} keys went onto the disk before it was full`)
  return { issued, lost }
}

test('on a full disk changes are 503 while reading and authentication go on, and it heals', { skip }, async t => {
  const made = settings(t, { PORT: '0', LOG_LEVEL: 'info' })
  const server = launch(t, made.env)
  const port = await server.listening
  const { ask, issue, present } = clientOf(port, made)
  const unseen = await issue('unseen')
  const changed = await issue('changed')
  const url = `/client_keys/${changed.id}`

  limitFiles(server.pid, littleRoom(databaseOf(made.env)))
  const { issued, lost } = await fill(t, port, made)
  refused(t, await ask('PATCH', url, { metadata: METADATA }), 'PATCH')
  refused(t, await ask('POST', `${url}/rotate`, { grace_seconds: 0 }), 'a rotation')
  refused(t, await ask('POST', `${url}/revoke`, {}), 'a revocation')
  t.equal(await present(changed), 200, 'a refused revocation and a refused rotation change nothing')
  t.equal(await present(unseen, '/apps'), 200, 'a token that was never seen before is good')
  t.equal((await ask('GET', '/apps')).status, 200)
  t.equal(
    (await ask('GET', '/client_keys')).json.length,
    issued.length + 3,
    'every acknowledged key and no other is listed'
  )
  t.match(
    (await ask('GET', `/client_keys/${unseen.id}`)).json,
    { last_used_at: null },
    'a use that can not be written down is no failure'
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
  t.match(
    (await ask('GET', `/client_keys/${unseen.id}`)).json,
    { tokens: [{ use_count: 1, last_used_at: String }] },
    'what was seen meanwhile is written down'
  )
  server.kill('SIGTERM')
  t.equal(await server.ended, 0)
  t.same(failuresOf(databaseOf(made.env)), [])
  await t.resolves(headOf(databaseOf(made.env)), 'the audit trail is whole')
})

for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
  test(`a service that ends by ${signal} while the disk is full has lost nothing`, { skip }, async t => {
    const made = settings(t, { PORT: '0', LOG_LEVEL: 'info' })
    const first = launch(t, made.env)
    const port = await first.listening
    const unseen = await clientOf(port, made).issue('unseen')
    limitFiles(first.pid, littleRoom(databaseOf(made.env)))
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
      'every acknowledged key and no other is there'
    )
    await issue(lost)
    second.kill('SIGTERM')
    t.equal(await second.ended, 0)
    t.same(failuresOf(databaseOf(made.env)), [])
    await t.resolves(headOf(databaseOf(made.env)), 'the audit trail is whole')
  })
}
