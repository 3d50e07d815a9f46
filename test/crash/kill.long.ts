import { randomInt } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import tap, { test } from 'tap'
import type { Test } from 'tap'
import type { AuditHead } from '../../domain/audits/rows.ts'
import { at, settings } from '../helper.ts'
import { createLoad, inBatches, activeTokenFailures } from './load.ts'
import type { Load, Present, Send } from './load.ts'
import { call, databaseOf, failuresOf, headOf, launch, query } from './process.ts'
import type { ServerProcess } from './process.ts'

/** The number of times that the server is killed. `npm run test:crash` kills it a thousand times. */
const CRASHES = Number(process.env['CRASHES'] ?? 10)
const CHAINS = 2
const SAMPLE = 20
const WALK_EVERY = 10
const MAX_REPLIES = 60
const LATEST_MS = 250
const START_MS = 400

// The time depends on how fast the machine starts the service.
tap.setTimeout(0)

/**
 * Kills a server after a random number of responses or milliseconds. Returns a function that must be called for each
 * response.
 */
const killAtRandom = (victim: ServerProcess): (() => void) => {
  if (randomInt(2) === 0) {
    setTimeout(victim.kill, randomInt(LATEST_MS))
    return () => {}
  }
  let left = randomInt(1, MAX_REPLIES)
  return () => {
    if (--left === 0) setImmediate(victim.kill)
  }
}

/** Kills and restarts a database's service in each round. Returns the failures that were found. */
const chain = async (
  t: Test,
  rounds: number
): Promise<{ failures: string[]; replaced: number; counts: Load['counts'] }> => {
  const { env, key } = settings(t, { PORT: '0', LOG_LEVEL: 'info' })
  const path = databaseOf(env)
  const load = createLoad()
  const failures: string[] = []
  let head: AuditHead | undefined

  const clients = async ({ listening }: ServerProcess): Promise<{ send: Send; present: Present }> => {
    const port = await listening
    return {
      send: async (method, url, body, headers) => await call(port, key.keyAccessToken, method, url, body, headers),
      present: async token => (await call(port, token, 'GET', '/client_keys/me')).status
    }
  }

  for (let round = 0; round < rounds; round++) {
    const note = (found: unknown[]): void => {
      failures.push(
        ...found.map(failure => `round ${round}: ${typeof failure === 'string' ? failure : JSON.stringify(failure)}`)
      )
    }
    if (round % WALK_EVERY === 0) {
      const cutOff = launch(t, env)
      await wait(randomInt(START_MS))
      cutOff.kill()
      await cutOff.ended
    }
    const victim = launch(t, env)
    const { send, present } = await clients(victim)
    note(await load.check(present, SAMPLE))
    note(await load.repeatLost(send, present))
    await load.run(send, killAtRandom(victim), victim.isKilled)
    await victim.ended
    note(failuresOf(path))
    if (round % WALK_EVERY === 0) head = await headOf(path, head)
  }

  const last = launch(t, env)
  const { send, present } = await clients(last)
  failures.push(...(await load.repeatLost(send, present)), ...(await load.check(present, Infinity)))
  failures.push(...(await inBatches(load.keys(), async known => await activeTokenFailures(known, send))))
  last.kill()
  await last.ended
  failures.push(...failuresOf(path).map(failure => JSON.stringify(failure)), ...trailFailures(load, path))
  await headOf(path, head)
  const replaced = at(
    query<{ n: number }>(path, "select count(*) as n from audits where action = 'client_key.replace_token'")
  )
  return { failures, replaced: replaced.n, counts: load.counts }
}

/** Returns a failure for each acknowledged change that doesn't have exactly one entry in the audit trail. */
const trailFailures = (load: Load, path: string): string[] => {
  const rows = query<{ id: string; action: string; n: number }>(
    path,
    'select subject_id as id, action, count(*) as n from audits group by 1, 2'
  )
  const counted = new Map(rows.map(({ id, action, n }) => [`${action} ${id}`, n]))
  return load.keys().flatMap(({ id, rotations, revoked }) =>
    Object.entries({ issue: 1, rotate: rotations, revoke: revoked ? 1 : 0 }).flatMap(([verb, due]) => {
      const found = counted.get(`client_key.${verb} ${id}`) ?? 0
      return found === due
        ? []
        : [`the audit trail contains ${found} entries for the ${verb} of ${id}, rather than ${due}`]
    })
  )
}

test(`no acknowledged change is lost when the server is killed ${CRASHES} times at random moments`, async t => {
  const rounds = Math.ceil(CRASHES / CHAINS)
  // If one chain fails, the others still finish and stop their servers.
  const results = await Promise.allSettled(Array.from({ length: CHAINS }, async () => await chain(t, rounds)))
  for (const result of results) {
    if (result.status === 'rejected') throw result.reason
    const {
      failures,
      replaced,
      counts: { replies, lost, repeated }
    } = result.value
    t.strictSame(failures, [], 'tokens work, revoked keys are refused, databases and audit trails are intact')
    t.ok(replies > rounds, `${replies} changes were acknowledged`)
    t.ok(
      repeated > 0,
      `${lost} changes got no response, ${repeated} were retried, ${replaced} tokens that no client received were replaced`
    )
  }
})
