import { setTimeout as pause } from 'node:timers/promises'
import { test } from 'tap'
import { world } from '../helper.ts'
import type { Reply, World } from '../helper.ts'
import { introspector } from '../introspection.ts'
import { ownRedis, redisUrl, withRedis } from '../redis.ts'
import { logLines, start } from './service.ts'

const limited = async ({ call }: World): Promise<string> =>
  (await call('POST', '/client_keys', { name: 'k', rate_limit: { max: 1000, window_seconds: 3600 } })).json
    .key_access_token

const me = async ({ call }: World, token: string): Promise<Reply> =>
  await call('GET', '/client_keys/me', undefined, { authorization: `Bearer ${token}` })

const signIn = async ({ call }: World, email: string): Promise<Reply> =>
  await call('POST', '/auth/sign_in', { email, password: 'this is wrong' })

/** Retries a request until Redis responds in time. Returns the response to that request. */
const decided = async (ask: () => Promise<Reply>): Promise<Reply> => {
  for (;;) {
    const reply = await ask()
    if (reply.status !== 503) return reply
    await pause(20)
  }
}

test('login attempts are counted across all nodes, without storing addresses', async t => {
  const REDIS_URL = await redisUrl(t)
  if (REDIS_URL === null) return
  const [one, other] = [await world(t, { REDIS_URL }), await world(t, { REDIS_URL })]
  // On a busy machine, Redis may respond too late. The attempt is then refused, although it may have been counted.
  const statuses: number[] = []
  while (statuses.at(-1) !== 429) {
    for (const node of [one, other]) statuses.push((await signIn(node, 'nobody@example.com')).status)
  }
  const count = (status: number): number => statuses.filter(each => each === status).length
  t.ok(count(401) <= 20, `${count(401)} of 20 attempts were accepted`)
  t.ok(count(401) + count(503) >= 20)
  for (const node of [one, other]) {
    const { status, headers, json } = await decided(async () => await signIn(node, 'nobody@example.com'))
    t.match({ status, json }, { status: 429, json: { code: 'SIGN_IN_LIMITED' } })
    t.ok(Number(headers['retry-after']) > 0 && Number(headers['retry-after']) <= 600)
  }
  const another = await decided(async () => await signIn(other, 'somebody@example.com'))
  t.equal(another.status, 401, 'another account has a separate count')
  const prefix = new URL(REDIS_URL).searchParams.get('keyPrefix') ?? ''
  const keys = await withRedis(REDIS_URL.replace(/\?.*/, ''), async redis => await redis.keys(`${prefix}*`))
  t.ok(keys.length > 0)
  t.same(
    keys.filter(key => !key.startsWith(`${prefix}trivial:`) || key.includes('example') || key.includes('127.0')),
    []
  )
})

test('while Redis is down, only requests with limits are refused', async t => {
  const redis = await ownRedis(t)
  if (redis === null) return
  const made = await world(t, { REDIS_URL: redis.url })
  const token = await limited(made)
  const undecided = { status: 503, headers: { 'retry-after': '1' }, json: { code: 'LIMIT_UNDECIDED' } }

  t.match(await me(made, token), undecided, 'Redis has not started yet')
  t.match(await signIn(made, 'nobody@example.com'), undecided)
  t.equal((await made.call('GET', '/client_keys/me')).status, 200, 'a key without a limit is not counted')

  const recovers = async (): Promise<void> => {
    await redis.start()
    const { status, headers } = await decided(async () => await me(made, token))
    t.equal(status, 200)
    t.match(headers['ratelimit'], /^"client_key";r=99\d;t=3\d{3}$/)
    t.equal((await decided(async () => await signIn(made, 'nobody@example.com'))).status, 401)
  }
  await recovers()
  await redis.kill()
  t.match(await me(made, token), undecided, 'Redis is down')
  const introspect = introspector(made, `Bearer ${made.key.keyAccessToken}`)
  t.match(await introspect.ask(token), undecided, 'the token is not reported as inactive')
  t.match(await introspect.batch([{ token: 'x' }, { token }]), undecided)
  t.match((await introspect.batch([{ token: 'x' }])).json, [{ active: false }])
  t.match(await signIn(made, 'nobody@example.com'), undecided)
  await recovers()
})

test('a Redis server that becomes a replica refuses to count until it is a primary again', async t => {
  const redis = await ownRedis(t)
  if (redis === null) return
  await redis.start()
  const made = await world(t, { REDIS_URL: redis.url })
  const token = await limited(made)
  t.equal((await decided(async () => await me(made, token))).status, 200)
  await withRedis(redis.url, async server => await server.call('REPLICAOF', '127.0.0.1', '1'))
  t.equal((await me(made, token)).status, 503)
  await withRedis(redis.url, async server => await server.call('REPLICAOF', 'NO', 'ONE'))
  t.equal((await decided(async () => await me(made, token))).status, 200)
})

test('the log reports once that Redis is down and once that it is available again, without its password', async t => {
  const redis = await ownRedis(t, 'hunter2')
  if (redis === null) return
  const service = await start(t, { REDIS_URL: redis.url })
  await redis.start()
  await service.prints('responds again')
  await redis.kill()
  while (service.output().stdout.split('does not respond').length < 3) await pause(10)
  service.process.kill('SIGTERM')
  const { code, stdout, stderr } = await service.ended
  t.equal(code, 0, 'the service stops even while Redis is down')
  const reported = logLines(stdout).filter(({ msg }) => String(msg).includes('REDIS_URL'))
  t.match(reported, [
    { level: 40, code: 'ECONNREFUSED', reason: /ECONNREFUSED/, msg: /does not respond/ },
    { level: 30, msg: /responds again/ },
    { level: 40, msg: /does not respond/ }
  ])
  t.equal(reported.length, 3)
  t.notMatch(stdout + stderr, 'hunter2')
})
