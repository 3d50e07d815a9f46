import { mock } from 'node:test'
import { test } from 'tap'
import type { Test } from 'tap'
import { createServer } from '../../app.ts'
import { listening, operator, settings } from '../helper.ts'

const DAY_MS = 86_400_000

/** Creates a service with a mocked clock. The service doesn't listen yet. */
const world = async (t: Test) => {
  mock.timers.enable({ apis: ['setInterval', 'Date'], now: Date.UTC(2026, 0, 1) })
  t.teardown(() => {
    mock.timers.reset()
  })
  const fastify = await createServer(settings(t).env)
  t.teardown(() => fastify.close())
  await fastify.ready()
  const lines: unknown[][] = []
  t.intercept(fastify.log, 'warn', { value: (...line: unknown[]) => lines.push(line) })
  return {
    fastify,
    /** Returns the next `count` warnings, each with its fields and its message. */
    warnings: async (count: number): Promise<unknown[][]> => {
      while (lines.length < count) {
        await new Promise(resolve => {
          setImmediate(resolve)
        })
      }
      return lines.splice(0)
    },
    issue: async (name: string, days: number) =>
      (await fastify.clientKeys.issue({ name, expiresAt: new Date(Date.now() + days * DAY_MS) }, operator)).key
  }
}

test('a warning is logged at startup and then once a day, from 14 days before a key expires', async t => {
  const { fastify, warnings, issue } = await world(t)
  const { id, expiresAt } = await issue('soon', 2.5)
  await issue('later', 15.5)
  await issue('much later', 100)
  await fastify.clientKeys.issue({ name: 'never' }, operator)
  await fastify.clientKeys.revoke((await issue('revoked', 2)).id, null, operator)
  await listening(fastify)
  t.strictSame(await warnings(1), [[{ key: id, name: 'soon', expires_at: expiresAt }, 'a client key expires soon']])
  for (const names of [['soon'], ['soon', 'later'], ['later'], ['later']]) {
    mock.timers.tick(DAY_MS)
    t.match(
      await warnings(names.length),
      names.map(name => [{ name }, 'a client key expires soon'])
    )
  }
})

test('if very many keys expire, a hundred of them are named, and the others are counted', async t => {
  const { fastify, warnings, issue } = await world(t)
  for (let i = 0; i < 205; i++) await issue(`key ${i}`, 1)
  await listening(fastify)
  t.strictSame((await warnings(101))[100], [{ keys: 105 }, 'more client keys expire soon'])
})

test("if the database can't be read, the failure is logged, and the next attempt is made a day later", async t => {
  const { fastify, warnings, issue } = await world(t)
  await issue('soon', 5)
  const { list } = fastify.clientKeys
  fastify.clientKeys.list = async () => {
    throw new Error('out of the blue')
  }
  await listening(fastify)
  t.match(await warnings(1), [
    [{ err: { message: 'out of the blue' } }, /^could not read the client keys that expire soon/]
  ])
  fastify.clientKeys.list = list
  mock.timers.tick(DAY_MS)
  t.match(await warnings(1), [[{ name: 'soon' }]])
})
