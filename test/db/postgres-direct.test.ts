import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises'
import tap, { test } from 'tap'
import type { Test } from 'tap'
import { createDirectConnection } from '../../db/postgres/direct.ts'
import { ConnectionLost } from '../../db/postgres/failures.ts'
import { startProxy } from '../cluster/proxy.ts'
import { required } from '../helper.ts'
import { execute, ownPostgres, postgresDatabase } from '../postgres.ts'

const LOST = { message: 'the connection was lost' }

const skip = (await postgresDatabase(tap)) === null

/** Opens a connection for lookups through a proxy, and counts the notifications. */
const directThroughProxy = async (t: Test) => {
  const url = required((await postgresDatabase(t)) ?? undefined, 'PostgreSQL')
  const proxy = await startProxy(t, url)
  let hints = 0
  let hinted = (): void => {}
  const direct = createDirectConnection({ url: proxy.url }, () => {
    hints++
    hinted()
  })
  t.teardown(direct.close)
  const ask = async () => await direct.query<[number]>({ text: 'select 1' })
  return {
    url,
    proxy,
    direct,
    ask,
    hints: () => hints,
    hint: async (cause: () => Promise<unknown>) => {
      const came = new Promise<void>(resolve => {
        hinted = resolve
      })
      await cause()
      await came
    },
    /** Retries a query until the connection works, and returns the rows or another error. */
    firstReply: async () => {
      for (;;) {
        const rows = await ask().catch((error: unknown) => error)
        if (!(rows instanceof ConnectionLost)) return rows
        await pause(10)
      }
    },
    pid: async () => Number((await direct.query<[number]>({ text: 'select pg_backend_pid()' }))[0]?.[0])
  }
}

test(
  'notifications are passed on, and so are reconnections, because a notification may have been missed',
  { skip },
  async t => {
    const { url, direct, ask, hint, hints, pid, firstReply } = await directThroughProxy(t)
    await hint(ask)
    t.equal(hints(), 1, 'the connection was opened')
    await hint(async () => await execute(url, "notify client_key_changes, 'k'"))
    t.equal(hints(), 2)
    const before = await pid()
    const hintsBefore = hints()
    // On a busy machine, the connection may be replaced before it's terminated.
    while (hints() === hintsBefore) {
      const current = await pid().catch(() => before)
      await execute(url, `select pg_terminate_backend(pid, 60000) from pg_stat_activity where pid = ${current}`)
      await firstReply()
    }
    t.not(await pid(), before, 'it has reconnected')
    await t.rejects(direct.query({ text: 'select 1/0' }), { code: '22012' })
    t.not(await pid(), before, 'it is still the new connection')
  }
)

test('a connection is closed if it gets no reply in time, with either direction interrupted', { skip }, async t => {
  const { proxy, ask, firstReply } = await directThroughProxy(t)
  t.same(await ask(), [[1]])
  for (const direction of ['up', 'down'] as const) {
    proxy.hold(direction)
    await t.rejects(Promise.all([ask(), ask()]), LOST, 'a query without a reply')
    await t.rejects(ask(), LOST, 'a connection without a reply')
    proxy.release(direction)
    t.same(await firstReply(), [[1]])
  }
  let starts = 0
  proxy.reset()
  // Loses the connection at its first statement, once. After that, the connection gets no reply.
  proxy.intercept((direction, text) => direction === 'up' && text.includes('listen') && ++starts === 1)
  await t.rejects(
    (async () => {
      for (;;) await ask()
    })(),
    LOST
  )
  proxy.intercept((direction, text) => {
    if (direction === 'up' && text.includes('listen')) proxy.hold('down')
    return false
  })
  await t.rejects(ask(), LOST)
  proxy.intercept(() => false)
  proxy.release('down')
  t.same(await firstReply(), [[1]])
})

test(
  'a connection can be closed with or without replies from the server, and then refuses further queries',
  { skip },
  async t => {
    for (const isCut of [false, true]) {
      const { proxy, ask, direct } = await directThroughProxy(t)
      await ask()
      if (isCut) proxy.hold('down')
      const pending = ask().catch((error: unknown) => error)
      await nextTurn()
      await direct.close()
      t.ok((await pending) instanceof ConnectionLost || !isCut)
      await t.rejects(ask(), { message: 'the database is closed' })
      await direct.close()
    }
    const { proxy, ask, direct } = await directThroughProxy(t)
    await direct.close()
    await t.rejects(ask(), { message: 'the database is closed' }, 'it was never opened')

    const away = createDirectConnection({ url: proxy.url.replace(/:\d+\//, ':1/') }, () => {})
    const pending = away.query({ text: 'select 1' }).catch((error: unknown) => error)
    await away.close()
    t.ok((await pending) instanceof ConnectionLost)
  }
)

test('a standby is not queried, because it may lack acknowledged changes', { skip }, async t => {
  const primary = await ownPostgres(t)
  if (primary === null) return
  const standby = await ownPostgres(t, primary)
  if (standby === null) return
  const direct = createDirectConnection({ url: primary.url, listenUrl: standby.url }, () => {})
  t.teardown(direct.close)
  await t.rejects(direct.query({ text: 'select 1' }), { code: '25006' })
  await execute(standby.url, 'select pg_promote()')
  t.same(await direct.query({ text: 'select 1' }), [[1]])
})
