import { once } from 'node:events'
import { get as httpGet } from 'node:http'
import type { IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import { test } from 'tap'
import type { Test } from 'tap'
import type { App } from '../../domain/apps/app.ts'
import { Database } from '../../db/sqlite/driver.ts'
import { at, listening, world } from '../helper.ts'
import type { World } from '../helper.ts'

const APPS = 12_000

/** Inserts many apps into a world's database, so that a list needs many batches. */
const fill = ({ env }: World, { panels = '{"a":1}', count = APPS } = {}): void => {
  const db = new Database(env['DATABASE_URL'].slice('file:'.length))
  db.prepare(
    `with recursive n(i) as (select 1 union all select i + 1 from n where i < ?)
    insert into apps (name, descriptive_name, port, panels, user_id, created_at, updated_at)
    select printf('f%013x', i), printf('Filler %07d', i), 10000 + i, ?, 1, '2026-01-05T09:00:00.000Z', '2026-01-05T09:00:00.000Z' from n`
  ).run(count, panels)
  db.close()
}

/** Counts the batches that are read for a world's lists. */
const watchBatches = ({
  fastify
}: World): { batches: number; open: number; closed: Promise<void>; failAfter: number } => {
  const { apps } = fastify
  const list = apps.list
  let closed = (): void => {}
  const watch = {
    batches: 0,
    open: 0,
    failAfter: Infinity,
    closed: new Promise<void>(resolve => {
      closed = resolve
    })
  }
  const watched = async function* (read: AsyncGenerator<App[], void>): AsyncGenerator<App[], void> {
    watch.open++
    try {
      for await (const batch of read) {
        if (++watch.batches > watch.failAfter) throw new Error('the disk failed')
        yield batch
      }
    } finally {
      watch.open--
      closed()
    }
  }
  apps.list = async (...args) => {
    const { batches, next } = await list(...args)
    return { batches: watched(batches), next }
  }
  return watch
}

const watchedWorld = async (t: Test): Promise<World & { watch: ReturnType<typeof watchBatches> }> => {
  const made = await world(t)
  return { ...made, watch: watchBatches(made) }
}

const open = async (port: number, token: string, headers: Record<string, string> = {}): Promise<IncomingMessage> => {
  const request = httpGet({
    port,
    host: '127.0.0.1',
    path: '/apps',
    headers: { authorization: `Bearer ${token}`, ...headers }
  })
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  // Later failures appear in the response.
  request.on('error', () => {})
  return response
}

const textOf = async (response: IncomingMessage): Promise<string> => {
  let text = ''
  for await (const chunk of response.setEncoding('utf8')) text += chunk as string
  return text
}

test('a list of many batches is complete and in order, both as an array and as NDJSON', async t => {
  const made = await world(t)
  fill(made)
  const port = await listening(made.fastify)
  const response = await open(port, made.key.keyAccessToken)
  t.equal(response.headers['transfer-encoding'], 'chunked')
  const apps = JSON.parse(await textOf(response)) as { descriptive_name: string; id: number }[]
  t.equal(apps.length, APPS + 24)
  t.equal(new Set(apps.map(app => app.id)).size, APPS + 24)
  t.strictSame(
    apps.map(app => app.descriptive_name),
    apps.map(app => app.descriptive_name).sort()
  )
  const lines = (await textOf(await open(port, made.key.keyAccessToken, { accept: 'application/x-ndjson' })))
    .trimEnd()
    .split('\n')
  t.same(
    lines.map(line => JSON.parse(line)),
    apps
  )
})

test('large apps are read in small batches', async t => {
  const made = await watchedWorld(t)
  fill(made, { panels: JSON.stringify({ text: 'x'.repeat(100_000) }), count: 40 })
  const { json } = await made.call('GET', '/apps')
  t.equal(json.length, 64)
  t.ok(made.watch.batches >= (64 * 100_000) / 256 / 1024 / 2, `${made.watch.batches} batches`)
})

test('a page that ends with a batch links to the next page', async t => {
  const made = await world(t)
  fill(made, { count: 1000 })
  const whole = (await made.call('GET', '/apps')).json
  for (const limit of [250, 500, 249, 251]) {
    const { json, headers } = await made.call('GET', `/apps?limit=${limit}`)
    t.same(json, whole.slice(0, limit))
    const next = at(String(headers['link']).slice(1).split('>'))
    t.same((await made.call('GET', next)).json, whole.slice(limit, 2 * limit))
  }
})

test('a search through many apps without a match does not delay other requests', async t => {
  const made = await watchedWorld(t)
  fill(made)
  const order: string[] = []
  const search = made
    .call('GET', `/apps?tagged_with=${encodeURIComponent('[{"department":"finance"}]')}`)
    .then(reply => {
      order.push('search')
      return reply
    })
  await made.call('GET', '/up').then(() => {
    order.push('up')
  })
  t.equal((await search).json.length, 3)
  t.strictSame(order, ['up', 'search'])
  const paged = made.call('GET', `/apps?limit=3&tagged_with=${encodeURIComponent('[{"department":"finance"}]')}`)
  await made.call('GET', '/up')
  t.equal((await paged).json.length, 3)
  const pages = await made.call('GET', `/apps?limit=2&tagged_with=${encodeURIComponent('[{"department":"finance"}]')}`)
  t.match(pages.headers['link'], /rel="next"/)
})

test('the service stops reading a list if its client disconnects', async t => {
  const made = await watchedWorld(t)
  fill(made)
  const port = await listening(made.fastify)
  const response = await open(port, made.key.keyAccessToken)
  await once(response, 'readable')
  response.destroy()
  await made.watch.closed
  t.equal(made.watch.open, 0)
  t.ok(made.watch.batches < APPS / 250, `${made.watch.batches} batches were read`)
})

test('the service stops a search that finds no matches if its client disconnects', async t => {
  const made = await watchedWorld(t)
  fill(made)
  const port = await listening(made.fastify)
  const socket = connect(port, '127.0.0.1')
  const path = `/apps?tagged_with=${encodeURIComponent('[{"no":"such"}]')}`
  socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${made.key.keyAccessToken}\r\n\r\n`)
  await once(socket, 'data')
  socket.destroy()
  await made.watch.closed
  t.ok(made.watch.batches < APPS / 250, `${made.watch.batches} batches were read`)
})

test('the service stops reading a list if the client stops reading the response', async t => {
  const made = await watchedWorld(t)
  // More data than fits in the buffers of two sockets.
  fill(made, { panels: JSON.stringify({ text: 'x'.repeat(4000) }) })
  const port = await listening(made.fastify)
  const socket = connect(port, '127.0.0.1')
  socket.write(`GET /apps HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${made.key.keyAccessToken}\r\n\r\n`)
  await once(socket, 'readable')
  // Other requests succeed in the meantime, but the list is read only until the buffers are full.
  const settled = async (): Promise<number> => {
    for (let before = -1; before !== made.watch.batches;) {
      before = made.watch.batches
      for (let i = 0; i < 50; i++) await fetch(`http://127.0.0.1:${port}/up`)
    }
    return made.watch.batches
  }
  t.ok((await settled()) < APPS / 250, `${made.watch.batches} batches were read`)
  socket.destroy()
  await made.watch.closed
})

test('a failure while a list is being sent aborts the transfer, over every HTTP version', async t => {
  const made = await watchedWorld(t)
  fill(made)
  made.watch.failAfter = 20
  const port = await listening(made.fastify)
  for (const headers of [{}, { accept: 'application/x-ndjson' }] as Record<string, string>[]) {
    made.watch.batches = 0
    const response = await open(port, made.key.keyAccessToken, headers)
    t.equal(response.statusCode, 200)
    await t.rejects(textOf(response), { code: 'ECONNRESET' })
  }
  for (const accept of ['application/json', 'application/x-ndjson']) {
    made.watch.batches = 0
    const socket = connect(port, '127.0.0.1')
    socket.write(`GET /apps HTTP/1.0\r\nAccept: ${accept}\r\nAuthorization: Bearer ${made.key.keyAccessToken}\r\n\r\n`)
    socket.resume()
    const [error] = await once(socket, 'error').catch((error: unknown) => [error])
    t.match(error, { code: 'ECONNRESET' }, 'the connection is reset, not ended')
  }
})

test('a failure before a list is sent gets a regular response without internal details', async t => {
  const made = await watchedWorld(t)
  made.watch.failAfter = 0
  const { status, json, text } = await made.call('GET', '/apps')
  t.equal(status, 500)
  t.match(json, { code: 'INTERNAL_ERROR' })
  t.notMatch(text, 'disk')
})

test('a list is complete even if apps are added and removed while it is being sent', async t => {
  const made = await watchedWorld(t)
  fill(made)
  const port = await listening(made.fastify)
  const response = await open(port, made.key.keyAccessToken)
  await once(response, 'readable')
  t.equal((await made.call('DELETE', '/apps/f0000000000001')).status, 204)
  t.equal((await made.call('POST', '/apps', { descriptive_name: 'AAA', owner_type: 'User', owner_id: 1 })).status, 201)
  const apps = JSON.parse(await textOf(response)) as { id: number }[]
  t.equal(new Set(apps.map(app => app.id)).size, apps.length)
  t.ok(apps.length >= APPS + 23 && apps.length <= APPS + 25)
})
