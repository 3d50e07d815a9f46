import { contracts } from './contracts.ts'
import { test } from 'tap'
import { emptyPostgres, execute } from '../postgres.ts'
import { postgres } from './engines.ts'
import { ALL_KEYS } from '../../domain/keys/freshness/lease-store.ts'
import { createKeyService } from '../../domain/keys/service.ts'
import { createServiceRegistry } from '../../domain/services/registry.ts'
import { newSecret, operator } from '../helper.ts'
import { AT, insertApp, newUser } from './people.ts'

const READING = { name: 'orders:read', description: null }

if ((await emptyPostgres()) !== null) {
  contracts('PostgreSQL', postgres)

  test('PostgreSQL: ids, which are received as strings, are returned as numbers up to 2^53 - 1', async t => {
    const { url, read, write, listApps } = await postgres(t)
    const id = Number.MAX_SAFE_INTEGER
    for (const table of ['users', 'organizations', 'apps', 'tags']) {
      await execute(url, `select setval('${table}_id_seq', ${id - 1})`)
    }
    await write(async tx => {
      t.equal((await tx.users.insert(newUser('Ada'))).id, id)
      t.equal((await tx.organizations.insert({ name: 'O', billingEmail: 'o@example.com' }, AT)).id, id)
      await tx.organizations.setRole(id, id, 'admin')
      t.equal((await insertApp(tx, 'a'.repeat(14), { type: 'Organization', id })).id, id)
      t.equal((await tx.apps.insertTag(id, { context: 'c', name: 'n' })).id, id)
      await tx.apps.grant(id, id, 'read')
    })
    const { batches } = await listApps({ userId: id, includeDiscarded: false, tags: [] }, {})
    t.match(await batches.next(), { value: [{ id }] })
    await read(async ({ apps, users, organizations }) => {
      t.match(await apps.find(id), {
        id,
        owner: { type: 'Organization', id },
        tags: `[{"id":${id},"context":"c","name":"n"}]`
      })
      t.same(await apps.grantsOn(id), [{ userId: id, permits: ['read'] }])
      t.match(await users.grants(id, { limit: 1, includeDiscarded: false }), [{ appId: id }])
      t.match(await organizations.members(id), [{ id }])
    })
  })

  test('PostgreSQL: every port can be taken, after which no port is left, and a list can contain all of these apps', async t => {
    const { url, write, listApps } = await postgres(t)
    const { id } = await write(async ({ users }) => await users.insert(newUser('Ada')))
    await execute(
      url,
      `insert into apps (name, descriptive_name, port, user_id, created_at, updated_at)
      select port, port, port, ${id}, '', '' from generate_series(3001, 65535) as port`
    )
    t.equal(await write(async ({ apps }) => await apps.takePort()), null)
    const filter = { userId: id, includeDiscarded: false, tags: [] }
    const { next } = await listApps(filter, { limit: 62_534 })
    t.equal(next?.descriptiveName, '9998', 'names are sorted as text, and this one is second to last')
    t.equal((await listApps(filter, { limit: 62_535 })).next, null)
    const none = await listApps({ ...filter, tags: [{ context: 'no', name: 'app' }] }, { limit: 1 })
    t.same([none.next, await none.batches.next()], [null, { value: [], done: false }])
  })

  test('PostgreSQL: a change of services runs again if a key got a scope that it removes after it counted', async t => {
    const { keys: store } = await postgres(t)
    const keys = createKeyService({ store, secret: newSecret(), checkSecrets: async () => true })
    await createServiceRegistry({ store }).create({ name: 'orders', scopes: [READING] }, operator)
    const counts: number[] = []
    await store.write(async tx => {
      counts.push(await tx.services.countKeys(['orders:read']))
      if (counts.length === 1) {
        await keys.issue({ name: 'other', scopes: ['apps:read'] }, operator)
        await keys.issue({ name: 'k', scopes: ['orders:read'] }, operator)
      }
      await tx.keys.advanceRevision(ALL_KEYS)
      if (counts.length > 1) await tx.services.takeScopes(['orders:read'])
    })
    t.same(counts, [0, 1])
    t.match(await keys.list({ namePrefix: 'k' }, { limit: 1 }), { keys: [{ scopes: [] }] })
  })

  test('PostgreSQL: a change of a key runs again if a service that it has read was removed', async t => {
    const { keys: store } = await postgres(t)
    const services = createServiceRegistry({ store })
    await services.create({ name: 'orders', scopes: [READING] }, operator)
    const found: number[] = []
    await store.write(async tx => {
      found.push((await tx.services.named(['orders'])).length)
      if (found.length === 1) await services.remove('orders', { force: false }, operator)
      await tx.keys.advanceRevision('a key')
    })
    t.same(found, [1, 0])
  })
}
