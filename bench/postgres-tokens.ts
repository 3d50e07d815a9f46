import type pg from 'pg'
import { withChildren } from './child.ts'
import { compiled } from './compiled.ts'
import type { Credentials } from './credentials.ts'
import { AT, CREATED_BY, KEY_ID_DIGITS, keyIdOf, makeKeyDatabase, SCOPES } from './key-databases.ts'
import { changesOf, rowOf } from './key-changes.ts'
import { measureMemory } from './many-keys.ts'
import { asIfReceived, microsecondsEach } from './opening.ts'
import { peers } from './peers.ts'
import type { Plan } from './plan.ts'
import { count, inUnit, timeRatioRow } from './report.ts'
import type { Row } from './report.ts'
import { takeInRounds } from './rounds.ts'
import { withConnection, withPostgres } from './services.ts'
import type { ServerAnswers } from './server.ts'
import { median } from './statistics.ts'

const { openStorage } = await compiled('db/open.js')
const { createAuthenticator } = await compiled('domain/keys/authenticator.js')
const { createKeyService } = await compiled('domain/keys/service.js')
const { createTokenSealer, digestOf } = await compiled('domain/keys/token.js')

const BATCH = 200_000
const WARM_KEYS = 1_000
/** How many keys the SQLite database has: another number than any other database of the bench. */
const SQLITE_KEYS = 2_000
const UNDER_WAY = 64
const COLD_A_ROUND = 1_000
const LEAST_OF_WARM = 1

/** What it takes to tell whose token of a managed key it is, where keys are in PostgreSQL, without HTTP around it. */
export const measurePostgresTokens = async (
  plan: Plan,
  server: string,
  folder: string,
  credentials: Credentials
): Promise<Row[]> =>
  await withPostgres(server, async url => {
    const { clientSecret } = credentials
    const sqliteKeys = await makeKeyDatabase(folder, SQLITE_KEYS, clientSecret)
    const sqlite = await openStorage(`file:${sqliteKeys.path}`)
    const postgres = await openStorage(url)
    try {
      await fill(url, plan.postgresKeys, clientSecret)
      const warm = {
        sqlite: await warmOf(sqlite, sqliteKeys.unseen(WARM_KEYS), plan, clientSecret),
        postgres: await warmOf(postgres, tokensOf(0, WARM_KEYS, clientSecret), plan, clientSecret)
      }
      const taken = await takeInRounds(plan.tokenRounds, warm)
      return [
        {
          what: `Open a managed token seen before, ${count(plan.postgresKeys)} keys in PostgreSQL`,
          result: inUnit(median(taken.postgres), 'µs', 2)
        },
        timeRatioRow('against SQLite', taken.postgres, taken.sqlite, LEAST_OF_WARM),
        ...(await measureCold(plan, url, postgres, clientSecret)),
        ...(await measureKeys(plan, url, postgres, folder, credentials))
      ]
    } finally {
      await postgres.close()
      await sqlite.close()
    }
  })

type Storage = Awaited<ReturnType<typeof openStorage>>
type Measure = () => Promise<number>

const warmOf = async (
  { keyLookup }: Storage,
  seen: readonly string[],
  { tokensARound }: Plan,
  secret: string
): Promise<Measure> => {
  const authenticate = createAuthenticator({ secret, lookup: keyLookup })
  await microsecondsEach(seen, authenticate, 'ok')
  const again = Array.from({ length: tokensARound }, (_, i) => seen[i % seen.length] ?? '')
  return async () => await microsecondsEach(again, authenticate, 'ok')
}

const QUERY = { name: 'bare', text: 'select * from client_key_tokens where digest = $1', rowMode: 'array' } as const

/** Tokens that were never seen before, against no more than to find a row by its primary key. */
const measureCold = async (plan: Plan, url: string, storage: Storage, secret: string): Promise<Row[]> => {
  const authenticate = createAuthenticator({ secret, lookup: storage.keyLookup })
  let used = WARM_KEYS
  const next = (): number => {
    if (used + COLD_A_ROUND > plan.postgresKeys) throw new Error('the database has not enough keys for the plan')
    used += COLD_A_ROUND
    return used - COLD_A_ROUND
  }
  const cold = (together: number) => async (): Promise<number> =>
    await microsecondsEach(tokensOf(next(), COLD_A_ROUND, secret), authenticate, 'ok', together)

  const taken = await withConnection({ connectionString: url, pipeline: true }, async pipelined => {
    return await withConnection({ connectionString: url }, async plain => {
      const bare = (client: pg.Client, together: number) => async (): Promise<number> =>
        await bareMicroseconds(client, next(), together)
      return await takeInRounds(plan.tokenRounds, {
        one: cold(1),
        bareOne: bare(plain, 1),
        many: cold(UNDER_WAY),
        barePipelined: bare(pipelined, UNDER_WAY),
        barePlain: bare(plain, UNDER_WAY)
      })
    })
  })
  return [
    { what: 'Open one never seen before, one after another', result: inUnit(median(taken.one), 'µs') },
    timeRatioRow('against a bare query by `pg`', taken.one, taken.bareOne),
    { what: `Open one never seen before, ${UNDER_WAY} under way, each`, result: inUnit(median(taken.many), 'µs') },
    timeRatioRow('against bare queries by `pg`, pipelined', taken.many, taken.barePipelined),
    timeRatioRow('against bare queries by `pg`, as it is used', taken.many, taken.barePlain)
  ]
}

const bareMicroseconds = async (client: pg.Client, first: number, together: number): Promise<number> => {
  const digests = Array.from({ length: COLD_A_ROUND }, (_, i) => Buffer.from(digestOf(keyIdOf(first + i)), 'hex'))
  const start = performance.now()
  for (let i = 0; i < digests.length; i += together) {
    const asked = digests.slice(i, i + together).map(digest => client.query({ ...QUERY, values: [digest] }))
    for (const { rows } of await Promise.all(asked)) if (rows.length !== 1) throw new Error('a key is missing')
  }
  return ((performance.now() - start) * 1000) / COLD_A_ROUND
}

/** Tokens of the keys of numbers from `first` on. */
const tokensOf = (first: number, length: number, secret: string): string[] => {
  const sealer = createTokenSealer(secret)
  return Array.from({ length }, (_, i) => asIfReceived(sealer.seal(keyIdOf(first + i))))
}

const ADD_KEYS = `
  insert into client_keys (row, id, name, scopes, enabled, allowed_ips, metadata, created_at, created_by)
  select number + 1, gen_random_uuid(), 'key ' || number, '${SCOPES}', true, '[]', '{}', '${AT}', '${CREATED_BY}'
  from generate_series($1::bigint, $2::bigint) as number
`
// The digests of `keyIdOf`, computed where they are stored.
const ADD_TOKENS = `
  insert into client_key_tokens (digest, client_key, generation, hint, created_at)
  select sha256(left(encode(sha256(('key ' || number)::bytea), 'hex'), ${KEY_ID_DIGITS})::bytea), number + 1, $3,
    'abcd', '${AT}'
  from generate_series($1::bigint, $2::bigint) as number
`

const fill = async (url: string, keys: number, secret: string): Promise<void> => {
  const { generation } = createTokenSealer(secret)
  await withConnection({ connectionString: url }, async client => {
    for (let first = 0; first < keys; first += BATCH) {
      const last = Math.min(first + BATCH, keys) - 1
      await client.query(ADD_KEYS, [first, last])
      await client.query(ADD_TOKENS, [first, last, generation])
    }
    await client.query("select setval('client_keys_row_seq', $1)", [keys + 1])
    await client.query('vacuum analyze client_keys, client_key_tokens')
  })
}

/** What is changed and what it takes where there are many keys: the service with its memory, issues and revocations. */
const measureKeys = async (
  plan: Plan,
  url: string,
  storage: Storage,
  folder: string,
  credentials: Credentials
): Promise<Row[]> => {
  const keys = createKeyService({ store: storage, secret: credentials.clientSecret })
  const taken = await takeInRounds(plan.changeRounds, await changesOf(keys, plan.changesARound))
  const memory = await withChildren(folder, async start => {
    const server = start<ServerAnswers>('server.ts')
    const port = await server.ask('listen', { database: url, credentials })
    const tokenOf = (number: number): string => tokensOf(number, 1, credentials.clientSecret)[0] ?? ''
    const route = `http://127.0.0.1:${port}${peers.clientKey}`
    return await measureMemory(plan, server, route, { keys: plan.postgresKeys, tokenOf })
  })
  return [
    rowOf(`Issue managed keys, ${count(plan.postgresKeys)} keys in PostgreSQL, one after another`, taken.issue),
    rowOf('Revoke them, each until its receipt', taken.revoke),
    ...memory
  ]
}
