import { once } from 'node:events'
import { Agent, request } from 'node:http'
import type { IncomingMessage } from 'node:http'
import { setTimeout } from 'node:timers/promises'
import { Database } from '../db/sqlite/driver.ts'
import type { Storage } from '../db/storage.ts'
import type { StartChild } from './child.ts'
import { compiled } from './compiled.ts'
import type { Credentials } from './credentials.ts'
import type { BenchDatabase } from './databases.ts'
import type { Plan } from './plan.ts'
import type { ProberAnswers } from './prober.ts'
import { atMost, inUnit } from './report.ts'
import type { Row } from './report.ts'
import type { ServerAnswers } from './server.ts'
import { median, quantile } from './statistics.ts'

const { createPasswordHasher } = await compiled('domain/users/passwords.js')
const { openStorage } = await compiled('db/open.js')

const MAX_LATENCY_MS = 20
const SIGN_INS_A_SECOND = 20
const SECONDS = 8
const PASSWORD = 'seven green kettles'
const MAX_LIST_MS = 5
const OWN_APPS = 50

/** Whether hashing passwords lets others have their answers. */
export const measureSignIns = async (
  { signInRounds }: Plan,
  start: StartChild,
  database: BenchDatabase,
  credentials: Credentials
): Promise<Row[]> => {
  await givePasswords(database)
  const port = await start<ServerAnswers>('server.ts').ask('listen', {
    database: database.path,
    credentials,
    trustProxy: '127.0.0.1'
  })
  const prober = start<ProberAnswers>('prober.ts')
  const url = `http://127.0.0.1:${port}`
  const latencies: number[] = []
  const durations: number[] = []
  for (let round = 0; round < signInRounds; round++) {
    await prober.ask('begin', { url: `${url}/apps/${database.appName}`, token: credentials.clientToken })
    durations.push(...(await signInForAWhile(port)))
    latencies.push(...(await prober.ask('end')))
  }
  return [
    atMost(
      `A client key's request while ${SIGN_INS_A_SECOND} users a second sign in, 99th percentile`,
      quantile(latencies, 0.99),
      MAX_LATENCY_MS,
      'ms'
    ),
    { what: '– to sign in meanwhile, median', result: inUnit(median(durations), 'ms') }
  ]
}

/**
 * How long the database takes for a user's apps among many: their own, those of an organization, and those that were
 * granted.
 */
export const measureUserLists = async ({ signInRounds }: Plan, database: BenchDatabase): Promise<Row[]> => {
  const userId = prepareUser(database)
  const storage = await openStorage(`file:${database.path}`)
  const taken: number[] = []
  try {
    for (let i = 0; i < signInRounds * 50; i++) {
      const begun = performance.now()
      const apps = await readApps(storage, userId)
      taken.push(performance.now() - begun)
      if (apps !== OWN_APPS) throw new Error(`a user sees ${apps} apps rather than ${OWN_APPS}`)
    }
  } finally {
    await storage.close()
  }
  return [
    atMost(
      `A user's ${OWN_APPS} apps among ${database.apps.toLocaleString('en')}, in SQLite`,
      median(taken),
      MAX_LIST_MS,
      'ms'
    )
  ]
}

/** Reads the apps of a user as the service does, and tells how many there are. */
const readApps = async ({ listApps }: Pick<Storage, 'listApps'>, userId: number): Promise<number> => {
  const { batches } = await listApps({ userId, includeDiscarded: false, tags: [] }, { limit: OWN_APPS + 1 })
  let apps = 0
  for await (const batch of batches) apps += batch.length
  return apps
}

const givePasswords = async ({ path }: BenchDatabase): Promise<void> => {
  const hash = await createPasswordHasher().hash(PASSWORD)
  const db = new Database(path)
  db.prepare('update users set password_hash = ?').run(hash)
  db.close()
}

const AT = '2026-01-05T09:00:00.000Z'

const prepareUser = ({ path }: BenchDatabase): number => {
  const db = new Database(path)
  try {
    return db.transaction(() => {
      const userId = Number(
        db
          .prepare("insert into users (name, email, created_at, updated_at) values ('One', 'one@example.com', ?, ?)")
          .run(AT, AT).lastInsertRowid
      )
      const organizationId = Number(
        db
          .prepare(
            "insert into organizations (name, billing_email, created_at, updated_at) values ('One', " +
              "'one@example.com', ?, ?)"
          )
          .run(AT, AT).lastInsertRowid
      )
      db.prepare("insert into memberships values (?, ?, 'member')").run(organizationId, userId)
      // A third each: owned, of the organization, and granted.
      db.prepare('update apps set user_id = ? where id between 1000 and 1016').run(userId)
      db.prepare('update apps set user_id = null, organization_id = ? where id between 2000 and 2016').run(
        organizationId
      )
      db.prepare('insert into grants select id, ?, 1 from apps where id between 3000 and 3015').run(userId)
      return userId
    })()
  } finally {
    db.close()
  }
}

/** Signs in, each time another user from another address, and answers how long each took, in milliseconds. */
const signInForAWhile = async (port: number): Promise<number[]> => {
  const agent = new Agent({ keepAlive: true })
  const durations: Promise<number>[] = []
  const begun = performance.now()
  for (let i = 0; i < SIGN_INS_A_SECOND * SECONDS; i++) {
    await setTimeout(Math.max(0, begun + (i * 1000) / SIGN_INS_A_SECOND - performance.now()))
    durations.push(signIn(port, i, agent))
  }
  const all = await Promise.all(durations)
  agent.destroy()
  return all
}

const signIn = async (port: number, i: number, agent: Agent): Promise<number> => {
  const begun = performance.now()
  const part = (): number => Math.floor(Math.random() * 256)
  const address = `10.${part()}.${part()}.${part()}`
  const asked = request({
    port,
    host: '127.0.0.1',
    path: '/auth/sign_in',
    method: 'POST',
    agent,
    headers: { 'content-type': 'application/json', 'x-forwarded-for': address }
  })
  asked.end(JSON.stringify({ email: `user-${1 + (i % 100)}@example.com`, password: PASSWORD }))
  const [response] = (await once(asked, 'response')) as [IncomingMessage]
  response.resume()
  await once(response, 'end')
  if (response.statusCode !== 200) throw new Error(`POST /auth/sign_in answered ${String(response.statusCode)}`)
  return performance.now() - begun
}
