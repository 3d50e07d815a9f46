import pg from 'pg'
import tap, { test } from 'tap'
import type { Test } from 'tap'
import { createAppService } from '../../domain/apps/service.ts'
import type { Owner } from '../../domain/apps/app.ts'
import { createOrganizationService } from '../../domain/organizations/service.ts'
import type { Transactor } from '../../domain/transactor.ts'
import { createUserRemoval } from '../../domain/users/removal.ts'
import type { User } from '../../domain/users/user.ts'
import { connectPostgres, postgres } from '../contract/engines.ts'
import { AT, insertApp, insertUsers, newSession, newUser } from '../contract/people.ts'
import { at, operator } from '../helper.ts'
import { execute, postgresDatabase } from '../postgres.ts'

/** Opens two nodes that share a database, and connects them to it. */
const nodesOf = async (t: Test, poolSize?: number) => {
  const { url } = await postgres(t)
  const nodes = [await connectPostgres(t, url, poolSize), await connectPostgres(t, url, poolSize)] as const
  for (const { read } of nodes) await read(async ({ apps }) => await apps.isEmpty())
  return { url, nodes }
}

/** Holds a statement's lock until each piece of work is waiting for it or for another. Returns the sorted outcomes. */
const runBlocked = async (
  t: Test,
  { url, locked }: { url: string; locked: string },
  work: (() => Promise<unknown>)[]
) => {
  const holder = new pg.Client({ connectionString: url })
  await holder.connect()
  await holder.query(`begin; ${locked} for update`)
  const settled = Promise.allSettled(work.map(async one => await one()))
  const waiting = `select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`
  const state = { isOver: false }
  void settled.then(() => {
    state.isOver = true
  })
  while (!state.isOver && (await execute(url, waiting)).length < work.length);
  await holder.query('commit')
  await holder.end()
  const results = await settled
  const codes = results.map(result =>
    result.status === 'fulfilled' ? 'done' : String((result.reason as { code?: string }).code)
  )
  t.comment(codes.join())
  return codes.sort()
}

const as = (user: User) => ({
  ...operator,
  principal: { kind: 'user' as const, user, session: newSession('s', user.id) }
})

/** Stores an organization with two admins. */
const insertNorth = async (transactor: Transactor) => {
  const [ada, ben] = await insertUsers(transactor, 'Ada', 'Ben')
  const id = await transactor.write(async ({ organizations }) => {
    const { id } = await organizations.insert({ name: 'North', billingEmail: 'n@example.com' }, AT)
    for (const user of [ada, ben]) await organizations.setRole(id, Number(user?.id), 'admin')
    return id
  })
  return { id, ada: at([ada].flatMap(user => user ?? [])), ben: at([ben].flatMap(user => user ?? [])) }
}

if ((await postgresDatabase(tap)) !== null) {
  for (const [what, change] of [
    [
      'demoted to members',
      async (node: Transactor, id: number, userId: number) =>
        await createOrganizationService(node).setRole(id, { userId, role: 'member', email: null }, operator)
    ],
    [
      'removed',
      async (node: Transactor, id: number, userId: number) => {
        await createOrganizationService(node).removeMember(id, userId, operator)
      }
    ],
    [
      'deleted',
      async (node: Transactor, _id: number, userId: number) => {
        await createUserRemoval(node).remove(userId, null, operator)
      }
    ]
  ] as const) {
    test(`if two admins are ${what} concurrently, one of them remains an admin`, async t => {
      const { url, nodes } = await nodesOf(t)
      const { id, ada, ben } = await insertNorth(nodes[0])
      const codes = await runBlocked(t, { url, locked: `select 1 from organizations where id = ${id}` }, [
        async () => await change(nodes[0], id, ada.id),
        async () => await change(nodes[1], id, ben.id)
      ])
      t.same(codes, ['LAST_ADMIN', 'done'])
      t.equal(await nodes[0].read(async ({ organizations }) => await organizations.countAdmins(id)), 1)
    })
  }

  test('if two apps with the same name are created concurrently, one is rejected', async t => {
    const { url, nodes } = await nodesOf(t)
    const { id, ada, ben } = await insertNorth(nodes[0])
    const owners: [Owner, User, User][] = [
      [{ type: 'User', id: ada.id }, ada, ada],
      [{ type: 'Organization', id }, ada, ben]
    ]
    const locked = 'select 1 from app_port_counter, users'
    for (const [owner, one, other] of owners) {
      const wanted = { descriptiveName: 'Invoice Sync', owner }
      const codes = await runBlocked(t, { url, locked }, [
        async () => await createAppService(nodes[0]).create(wanted, as(one)),
        async () => await createAppService(nodes[1]).create(wanted, as(other))
      ])
      t.same(codes, ['DESCRIPTIVE_NAME_TAKEN', 'done'], owner.type)
    }
  })

  test('an app that is created while its owner is being removed is rejected, or is removed too', async t => {
    const { url, nodes } = await nodesOf(t)
    const [ada] = await insertUsers(nodes[0], 'Ada')
    const id = Number(ada?.id)
    const owner = { type: 'User', id } as const
    await nodes[0].write(async tx => await insertApp(tx, 'a'.repeat(14), owner))
    const codes = await runBlocked(t, { url, locked: `select 1 from users where id = ${id}` }, [
      async () => await createUserRemoval(nodes[0]).remove(id, 'delete', operator),
      async () => await createAppService(nodes[1]).create({ descriptiveName: 'Late', owner }, operator)
    ])
    t.ok(['OWNER_NOT_FOUND,done', 'done,done'].includes(codes.join()), codes.join())
    t.ok(await nodes[0].read(async ({ apps, users }) => (await apps.isEmpty()) && (await users.isEmpty())))
  })

  test('apps that are created concurrently on two nodes have different ports', async t => {
    const { nodes } = await nodesOf(t, 20)
    const users = await insertUsers(nodes[0], 'Ada', 'Ben', 'Chiara', 'Dan')
    const made = await Promise.all(
      Array.from({ length: 40 }, async (_, index) => {
        const owner = { type: 'User', id: at(users, index % users.length).id } as const
        return await createAppService(at(nodes, index % 2)).create({ descriptiveName: `App ${index}`, owner }, operator)
      })
    )
    const ports = made.map(({ port }) => port).sort((one, other) => one - other)
    t.same(
      ports,
      ports.map((_, index) => 3001 + index)
    )
  })

  test('user ids become visible in order, so no user is missed when reading page by page', async t => {
    const { nodes } = await nodesOf(t)
    let left = 100
    const writer = async (node: Transactor): Promise<void> => {
      while (left > 0) {
        const number = left--
        await node.write(async ({ users }) => {
          const user = await users.insert(newUser(`User ${number}`, { email: `${number}@example.com` }))
          await users.saveLocation(user.id, '192.0.2.7', AT)
        })
      }
    }
    const writers = Promise.all(
      Array.from({ length: 8 }, async (_, index) => {
        await writer(at(nodes, index % 2))
      })
    )
    let isWriting = true
    const seen: number[] = []
    const read = async (): Promise<void> => {
      for (;;) {
        const isLast = !isWriting
        const page = { limit: 7, after: seen.at(-1) ?? 0 }
        const found = await nodes[1].read(async ({ users }) => await users.page(page))
        seen.push(...found.map(({ id }) => id))
        if (isLast && found.length === 0) return
      }
    }
    const reader = read()
    await writers
    isWriting = false
    await reader
    t.equal(seen.length, 100)
  })

  test('a transaction that waited for another change sees the result of that change', async t => {
    const { url, nodes } = await nodesOf(t)
    const [ada] = await insertUsers(nodes[0], 'Ada')
    const owner = { type: 'User', id: Number(ada?.id) } as const
    const { id } = await nodes[0].write(async tx => await insertApp(tx, 'a'.repeat(14), owner))
    const service = createAppService(nodes[0])
    const codes = await runBlocked(t, { url, locked: `select 1 from apps where id = ${id}` }, [
      async () => await service.addTag(id, { context: 'stage', name: 'one' }, operator),
      async () => await createAppService(nodes[1]).addTag(id, { context: 'stage', name: 'two' }, operator)
    ])
    t.same(codes, ['done', 'done'])
    const sessions = ['one', 'two'].map(name => newSession(name, owner.id))
    await nodes[0].write(async ({ users }) => {
      for (const session of sessions) await users.insertSession(session)
    })
    const found: unknown[] = []
    const endOther = async (node: Transactor, [own, other]: [string, string]) => {
      await node.write(async ({ users }) => {
        found.push((await users.findSessionAccount(own))?.user.id)
        await users.removeSession(owner.id, other)
      })
    }
    await runBlocked(t, { url, locked: 'select 1 from users' }, [
      async () => {
        await endOther(nodes[0], ['one', 'two'])
      },
      async () => {
        await endOther(nodes[1], ['two', 'one'])
      }
    ])
    t.same(found, [owner.id, undefined], 'a session that the other transaction ended is not found')
  })

  test('two deadlocked transactions both complete eventually', async t => {
    const { nodes } = await nodesOf(t)
    const ids = (await insertUsers(nodes[0], 'Ada', 'Ben')).map(({ id }) => id)
    let attempts = 0
    let meet = (): void => {}
    const met = new Promise<void>(resolve => {
      meet = resolve
    })
    const lockBoth = async (node: Transactor, [first, second]: number[]): Promise<void> => {
      await node.write(async ({ users }) => {
        await users.find(Number(first))
        if (++attempts === 2) meet()
        await met
        await users.find(Number(second))
        await users.update(Number(second), { name: `after ${first}` }, AT)
      })
    }
    await Promise.all([lockBoth(nodes[0], ids), lockBoth(nodes[1], ids.toReversed())])
    t.ok(attempts > 2, 'one of them was repeated')
    const names = await nodes[0].read(async ({ users }) => await users.page({ limit: 9, after: 0 }))
    t.same(
      names.map(({ name }) => name),
      ids.toReversed().map(id => `after ${id}`)
    )
  })
}
