import { setTimeout } from 'node:timers/promises'
import { Database } from '../db/sqlite/driver.ts'
import { createPasswordHasher } from '../domain/users/passwords.ts'
import { createAppDatabase } from './app-databases.ts'
import { startChild } from './child.ts'
import type { ProberFunctions } from './prober.ts'
import { atMost } from './report.ts'
import type { Row } from './report.ts'
import type { ServerFunctions } from './server.ts'
import type { Setup } from './setup.ts'
import { quantile } from './rounds.ts'

const MAX_LATENCY_MS = 20
const APPS = 1_000
const SIGN_INS_PER_SECOND = 20
const SECONDS = 8
const PASSWORD = 'seven green kettles'

/** Measures whether hashing passwords delays other requests. */
export const measureSignIns = async (setup: Setup): Promise<Row[]> => {
  const { plan, folder, credentials } = setup
  const { path, appName } = await createAppDatabase(folder, APPS)
  await givePasswords(path)
  const origin = await startChild<ServerFunctions>(setup, 'server.ts').call('listen', {
    url: `file:${path}`,
    credentials,
    env: { TRUST_PROXY: '127.0.0.1' }
  })
  const prober = startChild<ProberFunctions>(setup, 'prober.ts')
  const latencies: number[] = []
  for (let round = 0; round < plan.signInRounds; round++) {
    await prober.call('begin', { url: `${origin}/apps/${appName}`, token: credentials.clientToken })
    await signInForAWhile(origin)
    latencies.push(...(await prober.call('end')))
  }
  return [
    atMost(
      `A client key's request while ${SIGN_INS_PER_SECOND} users per second sign in, 99th percentile`,
      quantile(latencies, 0.99),
      MAX_LATENCY_MS,
      'ms'
    )
  ]
}

const givePasswords = async (path: string): Promise<void> => {
  const hash = await createPasswordHasher().hash(PASSWORD)
  const db = new Database(path)
  db.prepare('update users set password_hash = ?').run(hash)
  db.close()
}

const signInForAWhile = async (origin: string): Promise<void> => {
  const signIns: Promise<void>[] = []
  const begun = performance.now()
  for (let i = 0; i < SIGN_INS_PER_SECOND * SECONDS; i++) {
    await setTimeout(Math.max(0, begun + (i * 1000) / SIGN_INS_PER_SECOND - performance.now()))
    signIns.push(signIn(origin, i))
  }
  await Promise.all(signIns)
}

/** Signs in a different user from a different address each time. */
const signIn = async (origin: string, i: number): Promise<void> => {
  const part = (): number => Math.floor(Math.random() * 256)
  const response = await fetch(`${origin}/auth/sign_in`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-forwarded-for': `10.${part()}.${part()}.${part()}` },
    body: JSON.stringify({ email: `user-${1 + (i % 100)}@example.com`, password: PASSWORD })
  })
  await response.text()
  if (!response.ok) throw new Error(`POST /auth/sign_in: ${response.status}`)
}
