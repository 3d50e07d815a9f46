import { test } from 'tap'
import type { Test } from 'tap'
import { at, settings } from '../helper.ts'
import { postgresDatabase } from '../postgres.ts'
import { redisUrl } from '../redis.ts'
import { start } from './service.ts'

const NODES = 4
const CONNECTIONS = 64
const REQUESTS_A_CONNECTION = 3
const MAX = 500

/** Starts four processes with the same configuration, and sends more requests to them than a key may send. */
const overload = async (t: Test, env: Record<string, string>): Promise<void> => {
  const made = settings(t, { LOG_LEVEL: 'info', ...env })
  // The processes start one after another, because the first one creates the database.
  const ports: number[] = []
  for (let node = 0; node < NODES; node++) ports.push((await start(t, made.env)).port)
  const issued = await fetch(`http://127.0.0.1:${at(ports)}/client_keys`, {
    method: 'POST',
    headers: { authorization: `Bearer ${made.key.keyAccessToken}`, 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'limited', rate_limit: { max: MAX, window_seconds: 3600 } })
  })
  const { key_access_token: token } = (await issued.json()) as { key_access_token: string }

  const statuses = await Promise.all(
    ports.flatMap(port => Array.from({ length: CONNECTIONS }, async () => await useUp(port, token)))
  )
  const count = (status: number): number => statuses.flat().filter(each => each === status).length
  const [accepted, refused, undecided] = [count(200), count(429), count(503)]
  t.equal(
    accepted + refused + undecided,
    NODES * CONNECTIONS * REQUESTS_A_CONNECTION,
    'no other status codes are returned'
  )
  t.ok(accepted <= MAX, `${accepted} of ${MAX} were accepted`)
  t.ok(accepted + undecided >= MAX, 'no request was refused before the limit was reached')
}

const useUp = async (port: number, token: string): Promise<number[]> => {
  const statuses: number[] = []
  for (let request = 0; request < REQUESTS_A_CONNECTION; request++) {
    const reply = await fetch(`http://127.0.0.1:${port}/client_keys/me`, {
      headers: { authorization: `Bearer ${token}` }
    })
    await reply.arrayBuffer()
    statuses.push(reply.status)
  }
  return statuses
}

test('four nodes that share a Redis server never accept more requests than a key may send', async t => {
  const REDIS_URL = await redisUrl(t)
  if (REDIS_URL === null) return
  await overload(t, { REDIS_URL })
})

test('four nodes that share a PostgreSQL database never accept more requests than a key may send', async t => {
  const DATABASE_URL = await postgresDatabase(t)
  if (DATABASE_URL === null) return
  await overload(t, { DATABASE_URL })
})
