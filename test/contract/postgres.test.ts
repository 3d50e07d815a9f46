import tap, { test } from 'tap'
import { execute, postgresDatabase } from '../postgres.ts'
import { appRowsContract } from './app-rows.ts'
import { auditRowsContract } from './audit-rows.ts'
import { postgres } from './engines.ts'
import { keyRowsContract } from './key-rows.ts'
import { organizationRowsContract } from './organization-rows.ts'
import { AT, insertApp, newUser } from './people.ts'
import { storageContract } from './storage.ts'
import { userRowsContract } from './user-rows.ts'

if ((await postgresDatabase(tap)) !== null) {
  for (const contract of [
    appRowsContract,
    auditRowsContract,
    keyRowsContract,
    organizationRowsContract,
    userRowsContract,
    storageContract
  ]) {
    contract('PostgreSQL', postgres)
  }

  test('PostgreSQL: ids, which come as text, are numbers up to 2^53 - 1', async t => {
    const { url, read, write } = await postgres(t)
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
    await read(async ({ apps, users, organizations }) => {
      t.match(await apps.find(id), {
        id,
        owner: { type: 'Organization', id },
        tags: `[{"id":${id},"context":"c","name":"n"}]`
      })
      t.match(await apps.batch({ userId: id, includeDiscarded: false, tags: [] }, {}), { apps: [{ id }], next: null })
      t.same(await apps.candidates({ userId: id, includeDiscarded: false, tags: [] }), [id])
      t.same(await apps.grantsOn(id), [{ userId: id, permits: ['read'] }])
      t.match(await users.grants(id, { limit: 1, includeDiscarded: false }), [{ appId: id }])
      t.match(await organizations.members(id), [{ id }])
    })
  })
}
