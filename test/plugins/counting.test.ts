import Fastify from 'fastify'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { test } from 'tap'
import type { Test } from 'tap'
import type { Counters } from '../../domain/counters.ts'
import { createTokenSealer, issueClientKey } from '../../domain/keys/token/token.ts'
import clientKeyPlugin from '../../plugins/app/client-key-plugin.ts'
import counting from '../../plugins/app/counting.ts'
import { counterNode } from '../db/counter-node.ts'
import { knownToken, listening, newSecret, alwaysFresh } from '../helper.ts'
import { emptyPostgres } from '../postgres.ts'

const MAX = 100

/** Creates a server with one route. All such servers accept the same rate-limited key, and share its counters. */
const node = async (t: Test, secret: string, counters: Counters): Promise<FastifyInstance> => {
  const fastify = Fastify()
  t.teardown(() => fastify.close())
  const given = (name: string, value: object) =>
    fp(
      async fastify => {
        fastify.decorate(name, value)
      },
      { name: name === 'storage' ? 'database' : name }
    )
  await fastify.register(given('config', { REDIS_URL: '' }))
  await fastify.register(given('storage', { counters }))
  await fastify.register(counting)
  await fastify.register(clientKeyPlugin, {
    secret,
    counters: fastify.counters ?? undefined,
    lookup: {
      ...alwaysFresh,
      findByDigest: () => knownToken({ rateLimit: { max: MAX, windowSeconds: 3600 } })
    }
  })
  fastify.get('/x', { config: { scope: null }, onRequest: fastify.requireClientKey }, async () => ({}))
  return fastify
}

test("four servers that share a database's counters never accept more requests than a limit allows", async t => {
  const url = await emptyPostgres()
  if (url === null) return
  const secret = newSecret()
  const authorization = `Bearer ${issueClientKey(createTokenSealer(secret)).keyAccessToken}`
  const nodes = await Promise.all([1, 2, 3, 4].map(async () => await node(t, secret, counterNode(t, url))))
  const ports = await Promise.all(nodes.map(listening))
  const replies = await Promise.all(
    ports.flatMap(port =>
      Array.from({ length: 64 }, async () => await fetch(`http://127.0.0.1:${port}/x`, { headers: { authorization } }))
    )
  )
  const accepted = replies.filter(({ status }) => status === 200)
  t.equal(accepted.length, MAX)
  t.equal(replies.filter(({ status }) => status === 429).length, replies.length - MAX)
  t.same(
    accepted.map(({ headers }) => Number(/;r=(\d+);/.exec(headers.get('ratelimit') ?? '')?.[1])).sort((a, b) => a - b),
    Array.from({ length: MAX }, (_, remaining) => remaining),
    'each response reports a different number of remaining requests'
  )
})

test("a request is refused if the database's counters fail", async t => {
  const secret = newSecret()
  const { keyAccessToken } = issueClientKey(createTokenSealer(secret))
  const fastify = await node(t, secret, {
    hit: async () => {
      throw new Error('the database is unavailable')
    }
  })
  const reply = await fastify.inject({ url: '/x', headers: { authorization: `Bearer ${keyAccessToken}` } })
  t.match(reply.json(), { statusCode: 503, code: 'LIMIT_UNDECIDED' })
})
