import { randomInt } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import tap, { test } from 'tap'
import type { Test } from 'tap'
import type { Head } from '../../domain/audits/chain.ts'
import { at, settings } from '../helper.ts'
import { createLoad, inBatches, liveTokenFaults } from './load.ts'
import type { Load, Present, Send } from './load.ts'
import { call, databaseOf, faultsOf, headOf, launch, query } from './process.ts'
import type { Victim } from './process.ts'

/** How often the server is killed: `npm run test:crash` does it a thousand times. */
const CRASHES = Number(process.env['CRASHES'] ?? 20)
const CHAINS = 2
const SAMPLE = 20
const WALK_EVERY = 10
const MOST_REPLIES = 60
const LATEST_MS = 250
const START_MS = 400

// It takes as long as the machine takes to start the service so often.
tap.setTimeout(0)

/** Kills at a moment that nobody chose: after so many replies, or so many milliseconds. */
const executioner = (victim: Victim): (() => void) => {
  if (randomInt(2) === 0) {
    setTimeout(victim.kill, randomInt(LATEST_MS))
    return () => {}
  }
  let left = randomInt(1, MOST_REPLIES)
  return () => {
    if (--left === 0) setImmediate(victim.kill)
  }
}

/** One database, and its service killed and started so many times. Answers what was not as it should be. */
const chain = async (
  t: Test,
  rounds: number
): Promise<{ faults: string[]; replaced: number; counts: Load['counts'] }> => {
  const { env, key } = settings(t, { PORT: '0', LOG_LEVEL: 'info' })
  const path = databaseOf(env)
  const load = createLoad()
  const faults: string[] = []
  let head: Head | undefined

  const clients = async ({ listening }: Victim): Promise<{ send: Send; present: Present }> => {
    const port = await listening
    return {
      send: async (method, url, body, headers) => await call(port, key.keyAccessToken, method, url, body, headers),
      present: async token => (await call(port, token, 'GET', '/client_keys/me')).status
    }
  }

  for (let round = 0; round < rounds; round++) {
    const note = (found: unknown[]): void => {
      faults.push(...found.map(fault => `round ${round}: ${typeof fault === 'string' ? fault : JSON.stringify(fault)}`))
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
    await load.run(send, executioner(victim), victim.isKilled)
    await victim.ended
    note(faultsOf(path))
    if (round % WALK_EVERY === 0) head = await headOf(path, head)
  }

  const last = launch(t, env)
  const { send, present } = await clients(last)
  faults.push(...(await load.repeatLost(send, present)), ...(await load.check(present, Infinity)))
  faults.push(...(await inBatches(load.keys(), async known => await liveTokenFaults(known, send))))
  last.kill()
  await last.ended
  faults.push(...faultsOf(path).map(fault => JSON.stringify(fault)), ...trailFaults(load, path))
  await headOf(path, head)
  const replaced = at(
    query<{ n: number }>(path, "select count(*) as n from audits where action = 'client_key.replace_token'")
  )
  return { faults, replaced: replaced.n, counts: load.counts }
}

/** Whether each acknowledged change is in the audit trail, and is there once. */
const trailFaults = (load: Load, path: string): string[] => {
  const rows = query<{ id: string; action: string; n: number }>(
    path,
    'select subject_id as id, action, count(*) as n from audits group by 1, 2'
  )
  const counted = new Map(rows.map(({ id, action, n }) => [`${action} ${id}`, n]))
  return load.keys().flatMap(({ id, rotations, revoked }) =>
    Object.entries({ issue: 1, rotate: rotations, revoke: revoked ? 1 : 0 }).flatMap(([verb, due]) => {
      const found = counted.get(`client_key.${verb} ${id}`) ?? 0
      return found === due ? [] : [`the trail has ${found} times that ${id} had its ${verb}, rather than ${due}`]
    })
  )
}

test(`what was acknowledged holds through ${CRASHES} kills at random moments`, async t => {
  const rounds = Math.ceil(CRASHES / CHAINS)
  // Where one chain fails, the other still ends by itself and leaves no server behind.
  const results = await Promise.allSettled(Array.from({ length: CHAINS }, async () => await chain(t, rounds)))
  for (const result of results) {
    if (result.status === 'rejected') throw result.reason
    const {
      faults,
      replaced,
      counts: { replies, lost, repeated }
    } = result.value
    t.strictSame(faults, [], 'tokens work, revokes hold, databases and audit trails are whole')
    t.ok(replies > rounds, `${replies} changes were acknowledged`)
    t.ok(
      repeated > 0,
      `${lost} changes got no reply, ${repeated} were asked for again, ${replaced} tokens that nobody got were replaced`
    )
  }
})
