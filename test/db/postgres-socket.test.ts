import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { pipeline } from 'node:stream'
import tap, { test } from 'tap'
import { openStorage } from '../../db/open.ts'
import { READY } from '../../domain/readiness.ts'
import { shownUrl } from '../../net/database-url.ts'
import { need, temporaryFolder } from '../helper.ts'
import { postgresDatabase } from '../postgres.ts'

const skip = (await postgresDatabase(tap)) === null

test('a URL may contain a socket, as in libpq, and is shown without its password', { skip }, async t => {
  const server = new URL(need((await postgresDatabase(t)) ?? undefined, 'PostgreSQL'))
  const folder = temporaryFolder(t)
  const relay = createServer(socket => {
    const there = connect(Number(server.port === '' ? 5432 : server.port), server.hostname)
    pipeline(socket, there, socket, () => {})
  }).listen(join(folder, '.s.PGSQL.5432'))
  await once(relay, 'listening')
  t.teardown(() => relay.close())
  const query = `host=${encodeURIComponent(folder)}`
  for (const url of [
    `postgres://${server.username}@${server.pathname}?${query}`,
    `postgres://${server.pathname}?sslmode=disable&user=${server.username}&${query}`
  ]) {
    const storage = await openStorage(url)
    t.same(await storage.readiness(), READY)
    await storage.close()
  }
  t.equal(shownUrl(`postgres://ada:hunter2@/d?${query}`), `postgres://ada@/d?host=${folder}`)
})
