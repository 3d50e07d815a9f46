import { join } from 'node:path'
import { drizzle } from 'drizzle-orm/better-sqlite3'
import { test } from 'tap'
import type { Test } from 'tap'
import type { AuditFilter } from '../../domain/audits/rows.ts'
import { createAuditService } from '../../domain/audits/service.ts'
import type { AuditService } from '../../domain/audits/service.ts'
import { openStorage } from '../../db/open.ts'
import { createAuditReads } from '../../db/sqlite/audits/rows.ts'
import { Database } from '../../db/sqlite/driver.ts'
import type { Connection } from '../../db/sqlite/driver.ts'
import { temporaryFolder } from '../helper.ts'

interface Entry {
  sequence: number
  at: Date
  actorKind: string
  actorId: string
  action: string
  subjectType: string
  subjectId: string
}

const ENTRIES = 26_000
const RARE = [200, 7000, 14_000]
const BEGIN = Date.UTC(2026, 0, 1)

const timeAt = (sequence: number): Date => new Date(BEGIN + sequence * 1000)

/** Returns a generator of random numbers, which are the same in every run. */
const createRandom = (): ((below: number) => number) => {
  let state = 7
  return below => {
    state = (state * 48_271) % 2_147_483_647
    return state % below
  }
}

/**
 * Returns entries, half of them by users and half by keys, except for three. Some early entries have times that are out
 * of order.
 */
const entries = (): Entry[] => {
  const random = createRandom()
  return Array.from({ length: ENTRIES }, (_, index) => {
    const sequence = index + 1
    const at = timeAt(sequence % 500 === 0 && sequence < 6000 ? random(6000) : sequence + random(5))
    if (RARE.includes(sequence)) {
      return {
        sequence,
        at,
        actorKind: 'cli',
        actorId: '0',
        action: 'sample.load',
        subjectType: 'sample',
        subjectId: 's'
      }
    }
    const isUsers = sequence % 2 === 0
    return {
      sequence,
      at,
      actorKind: isUsers ? 'user' : 'client_key',
      actorId: `${isUsers ? 'u' : 'k'}${random(3)}`,
      action: isUsers ? 'user.sign_in' : 'app.update',
      subjectType: isUsers ? 'user' : 'app',
      subjectId: String(random(50))
    }
  })
}

/** Stores an audit trail with these entries, and records the statements that are executed afterwards. */
const trail = async (
  t: Test,
  all: readonly Entry[]
): Promise<{ audits: AuditService; statements: string[]; client: Connection }> => {
  const path = join(temporaryFolder(t), 'test.db')
  await (await openStorage(`file:${path}`)).close()
  const statements: string[] = []
  const client = new Database(path, { verbose: statement => statements.push(String(statement)) })
  t.teardown(() => client.close())
  const insert = client.prepare(`
    insert into audits (sequence, at, actor_kind, actor_id, actor_name, action, subject_type, subject_id, changes, previous_hash, hash)
    values (@sequence, @at, @actorKind, @actorId, '', @action, @subjectType, @subjectId, '{}', '', '')
  `)
  client.transaction(() => {
    for (const entry of all) insert.run({ ...entry, at: entry.at.toISOString() })
  })()
  statements.length = 0
  const rows = { audits: createAuditReads(drizzle(client)) }
  return { audits: createAuditService({ read: async work => await work(rows) }), statements, client }
}

const passes = (entry: Entry, { since, until, ...equal }: AuditFilter): boolean =>
  (Object.keys(equal) as (keyof typeof equal)[]).every(
    name => equal[name] === undefined || entry[name] === equal[name]
  ) &&
  (since === undefined || entry.at >= since) &&
  (until === undefined || entry.at < until)

/** Returns how many turns of the event loop other work gets while `work` runs. */
const turnsOf = async (work: () => Promise<unknown>): Promise<number> => {
  let turns = 0
  let next: NodeJS.Immediate
  const count = (): void => {
    turns++
    next = setImmediate(count)
  }
  next = setImmediate(count)
  await work()
  clearImmediate(next)
  return turns
}

test('every combination of filters finds the newest matching entries', async t => {
  const all = entries()
  const { audits } = await trail(t, all)
  const random = createRandom()
  const one = <T>(of: readonly T[]): T | undefined => of[random(of.length)]
  const maybe = <T>(of: readonly T[]): T | undefined => (random(3) === 0 ? one(of) : undefined)

  const check = async (filter: AuditFilter, limit: number, before?: number): Promise<void> => {
    const due = all.filter(entry => passes(entry, filter) && entry.sequence < (before ?? Infinity)).reverse()
    const page = await audits.page(filter, { limit, before })
    const found = { sequences: page.audits.map(({ sequence }) => sequence), more: page.more }
    const wanted = { sequences: due.slice(0, limit).map(({ sequence }) => sequence), more: due.length > limit }
    t.same(found, wanted, JSON.stringify([filter, limit, before]))
  }
  for (let i = 0; i < 60; i++) {
    const filter = {
      subjectType: maybe(['app', 'user', 'sample', 'nothing']),
      subjectId: maybe(['7', '8', 's', 'nothing']),
      actorKind: maybe(['user', 'client_key', 'cli', 'nothing']),
      actorId: maybe(['u1', 'k2', '0', 'nothing']),
      action: maybe(['user.sign_in', 'app.update', 'sample.load', 'nothing']),
      since: maybe([timeAt(0), timeAt(1500), timeAt(9000), timeAt(30_000)]),
      until: maybe([timeAt(2000), timeAt(6000), timeAt(9050), timeAt(25_990)])
    }
    await check(filter, one([1, 10, 100, 1000]) ?? 1, maybe([1, 700, 5000, 20_000]))
  }
  for (const limit of [1, 1000, 10_000]) {
    await check({}, limit)
    await check({ since: timeAt(1000), until: timeAt(3000) }, limit)
    await check({ since: timeAt(1000), until: timeAt(3000) }, limit, 1500)
    await check({ until: timeAt(15_000) }, limit)
    await check({ since: timeAt(13_000), until: timeAt(15_000) }, limit)
    await check({ since: timeAt(13_000), until: timeAt(15_000) }, limit, 13_900)
    await check({ until: timeAt(14_000), action: 'app.update' }, limit)
    await check({ since: timeAt(0), until: timeAt(14_000), actorKind: 'user', action: 'app.update' }, limit)
  }
})

test('a search with a filter that few entries match uses an index', async t => {
  const { audits, statements, client } = await trail(t, entries())
  const filters: Record<string, AuditFilter> = {
    audits_subject: { subjectType: 'sample', subjectId: 's' },
    audits_subject_type: { subjectType: 'sample' },
    audits_subject_id: { subjectId: 's' },
    audits_actor: { actorId: '0' },
    audits_actor_kind: { actorKind: 'cli' },
    audits_action: { action: 'sample.load' },
    audits_at: { since: timeAt(7000), until: timeAt(7010) }
  }
  for (const [index, filter] of Object.entries(filters)) {
    const more: AuditFilter[] = [
      { actorKind: 'cli' },
      { since: timeAt(0) },
      { action: 'user.sign_in', until: timeAt(26_000) }
    ]
    for (const extra of [{}, ...more]) {
      const asked = { ...extra, ...filter }
      statements.length = 0
      t.ok(
        (await turnsOf(async () => await audits.page(asked, { limit: 100 }))) <= 1,
        'the search finishes in one turn'
      )
      const [search, ...sorting] = client
        .prepare<[], { detail: string }>(`explain query plan ${String(statements.at(-1))}`)
        .all()
        .map(({ detail }) => detail)
      // A range of ten seconds, which contains more entries than the command line added.
      const best = index === 'audits_at' && 'actorKind' in extra ? 'audits_actor_kind' : index
      t.match(search, `SEARCH audits USING INDEX ${best} (`, JSON.stringify(asked))
      if (Object.keys(asked).length === 1) {
        t.same(sorting, [], 'the index returns the entries in order, without sorting')
      }
    }
  }
})

test('a search with a filter that many entries match does not block the event loop', async t => {
  const { audits } = await trail(t, entries())
  const nothing = { actorKind: 'user', action: 'app.update' }
  t.ok((await turnsOf(async () => await audits.page(nothing, { limit: 100 }))) >= 12)
  t.ok((await turnsOf(async () => await audits.page({ until: timeAt(15_000) }, { limit: 100 }))) >= 11)
  t.ok((await turnsOf(async () => await audits.page({ actorKind: 'user', subjectType: 'user' }, { limit: 100 }))) <= 1)
})
