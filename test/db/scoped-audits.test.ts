import tap, { test } from 'tap'
import type { Test } from 'tap'
import type { ScopedSearch } from '../../domain/audits/scope.ts'
import { createScopedAuditService } from '../../domain/audits/scoped-pages.ts'
import { Database } from '../../db/sqlite/driver.ts'
import type { Storage } from '../../db/storage.ts'
import { openStorage } from '../../db/open.ts'
import { settings } from '../helper.ts'
import { execute, postgresDatabase } from '../postgres.ts'
import { postgres } from '../contract/engines.ts'
import { AT, insertApp, insertUsers } from '../contract/people.ts'

interface Opened {
  readonly storage: Storage
  readonly run: (text: string) => Promise<void>
}

const openSqlite = async (t: Test): Promise<Opened> => {
  const url = settings(t).env.DATABASE_URL
  const storage = await openStorage(url)
  const db = new Database(url.slice('file:'.length))
  t.teardown(async () => {
    db.close()
    await storage.close()
  })
  return {
    storage,
    run: async text => {
      db.exec(text)
    }
  }
}

const openPostgres = async (t: Test): Promise<Opened> => {
  const storage = await postgres(t)
  // Otherwise, a single transaction would update the head once per entry.
  await execute(storage.url, 'alter table audits disable trigger audit_head_follows')
  t.teardown(async () => {
    await execute(storage.url, 'alter table audits enable trigger audit_head_follows')
  })
  return {
    storage,
    run: async text => {
      await execute(storage.url, text)
    }
  }
}

const NAME = 'a'.repeat(14)
const OTHER = 'b'.repeat(14)

/** Returns a common table expression with the numbers from 1 to `last`. */
const numbers = (last: number): string =>
  `with recursive numbers (n) as (select 1 union all select n + 1 from numbers where n < ${last})`

/** Stores `length` entries, half of which are about one of the organization's apps. */
const trailOf = async ({ storage, run }: Opened, length: number) => {
  const [user] = await insertUsers(storage, 'Ada', 'Ben')
  const organizationId = await storage.write(async tx => {
    const { id } = await tx.organizations.insert({ name: 'O', billingEmail: 'o@example.com' }, AT)
    await tx.organizations.setRole(id, Number(user?.id), 'admin')
    await insertApp(tx, NAME, { type: 'Organization', id })
    await insertApp(tx, OTHER, { type: 'User', id: Number(user?.id) })
    return id
  })
  await run(`
    insert into audits (sequence, at, actor_kind, actor_id, actor_name, action, subject_type, subject_id, changes,
      previous_hash, hash)
    ${numbers(length)}
    select n, '2026-01-05T09:00:00.000Z', 'user', case when n % 100 = 0 then '2' else '1' end, 'someone', 'app.update',
      'app', case when n % 2 = 0 then '${NAME}' else '${OTHER}' end, '{}', '', '' from numbers`)
  const service = createScopedAuditService(storage)
  const organization = { type: 'organization', id: organizationId } as const
  return {
    pageOf: async (page: number, more: Partial<ScopedSearch> = {}, perPage = 10) =>
      await service.page({ scope: organization, conditions: [], ...more }, { page, perPage })
  }
}

const LENGTH = 24_000

const contract = (engine: string, open: (t: Test) => Promise<Opened>): void => {
  test(`${engine}: a search for a very frequent subject starts at the end of the audit trail`, async t => {
    const opened = await open(t)
    const { pageOf } = await trailOf(opened, LENGTH)
    const first = await pageOf(1)
    t.same(
      first.audits.map(({ sequence }) => sequence),
      Array.from({ length: 10 }, (_, index) => LENGTH - 2 * index)
    )
    t.equal(first.totalPages, 101, 'the count stops after a thousand more entries')
    t.match(await pageOf(1200), { totalPages: 1200, audits: [{}, {}, {}, {}, {}, {}, {}, {}, {}, { sequence: 2 }] })
    t.same(await pageOf(1201), { totalPages: 1200, audits: [] })

    const byBen = { column: 'user_id', operator: '=', values: [2] } as const
    const found = await pageOf(1, { conditions: [byBen] })
    t.match(found, { totalPages: 24, audits: [{ sequence: LENGTH }, { sequence: LENGTH - 100 }] })
    const never = { column: 'created_at', operator: '>', values: [new Date('2027-01-01')] } as const
    t.same(await pageOf(1, { conditions: [byBen, never] }), { totalPages: 0, audits: [] })

    const app = { type: 'app', name: OTHER } as const
    t.match(await pageOf(2, { scope: app }, 1), { totalPages: 1002, audits: [{ sequence: LENGTH - 3 }] })

    await opened.run(`
      insert into audits (sequence, at, actor_kind, actor_id, actor_name, action, subject_type, subject_id, changes,
        previous_hash, hash)
      select 9000000000000 + n, '2026-01-05T09:00:00.000Z', 'cli', '0', 'someone', 'sample.load', kind, id, '{}', '', ''
      from (
        select 1 as n, 'sample' as kind, '1' as id union all select 2, 'client_key', 'x'
        union all select 3, 'user', '1' union all select 4, 'user', '2' union all select 5, 'organization', '1'
        union all select 6, 'organization', '2'
      ) as others`)
    const beyond = (await pageOf(1, {}, 3)).audits.map(({ sequence }) => sequence)
    t.same(beyond, [9_000_000_000_005, LENGTH, LENGTH - 2], 'a gap in the audit trail is skipped')
  })
}

contract('SQLite', openSqlite)
if ((await postgresDatabase(tap)) !== null) contract('PostgreSQL', openPostgres)
