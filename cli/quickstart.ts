import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import type { FastifyInstance } from 'fastify'
import { createServer } from '../app.ts'
import { loadSample } from '../db/load-sample.ts'
import { sample, SAMPLE_PASSWORD } from '../db/sample.ts'
import { listen } from '../http/listen.ts'
import { closeOnSignals } from '../http/signals.ts'
import type { ClientKeyRecord } from '../domain/keys/client-key.ts'
import type { KeyService } from '../domain/keys/service.ts'
import { UNSCOPED } from '../domain/keys/scopes.ts'
import { command, DONE } from './command.ts'
import { CommandError } from './failures.ts'
import { stateOf } from './key-rows.ts'
import { operatorContext } from './operator.ts'
import { saveToDotenv } from './dotenv.ts'
import { table } from './table.ts'
import type { Terminal } from './terminal.ts'

const KEY = 'quickstart'
const DESCRIPTION = 'Made by npm run quickstart'
const MADE = { scopes: [UNSCOPED], allowedIps: [], rateLimit: null, metadata: '{}' }
const ROWS = 12

interface App {
  id: number
  name: string
  descriptive_name: string
  owner_type: string
  owner_id: number
  tags: { context: string; name: string }[]
}

/**
 * The key that an earlier run made, as it made it; null where there is none. Throws a CommandError where the name is of
 * another key: what that allows, and whom, is not known here.
 */
const ownKey = async (terminal: Terminal, keys: KeyService): Promise<ClientKeyRecord | null> => {
  const revoke = terminal.invocation('key revoke', KEY)
  const rename = terminal.invocation('key change', `${KEY} --name <name>`)
  const key = await keys.resolve(KEY)
  if (key === null) return null
  if (!isOwn(key)) {
    throw new CommandError(
      `The client key ${KEY} is not as quickstart makes it, so it is left as it is.`,
      `Rename it with ${rename}, or revoke it with ${revoke}, and try again.`
    )
  }
  const state = stateOf(key)
  if (state !== 'live') {
    throw new CommandError(`The client key ${KEY} is ${state}.`, `Have the next run make a new one with: ${revoke}`)
  }
  return key
}

const isOwn = ({ description, createdBy, scopes, allowedIps, rateLimit, metadata }: ClientKeyRecord): boolean =>
  description === DESCRIPTION &&
  createdBy?.kind === 'cli' &&
  isDeepStrictEqual({ scopes, allowedIps, rateLimit, metadata }, MADE)

/** A new key, or a new token of the one that an earlier run made: the token of then is known to nobody here. */
const tokenOf = async (keys: KeyService, known: ClientKeyRecord | null): Promise<string> => {
  const context = operatorContext()
  const { keyAccessToken } =
    known === null
      ? await keys.issue({ name: KEY, description: DESCRIPTION }, context)
      : await keys.rotate(known.id, { graceSeconds: 0 }, context)
  return keyAccessToken
}

// What listens on every address is called on a loopback one.
const ANY_ADDRESS: Readonly<Record<string, string | undefined>> = { '0.0.0.0': '127.0.0.1', '::': '[::1]' }

const hostForClients = (host: string): string => ANY_ADDRESS[host] ?? (host.includes(':') ? `[${host}]` : host)

const describeCall = async (terminal: Terminal, base: string, token: string, loaded: boolean): Promise<string> => {
  const apps = await listApps(base, token)
  const origin = loaded ? ' (sample data)' : ''
  return `
The service runs at ${base}, and GET /apps answered a client key with every app of every owner${origin}:

${describe(apps)}

Call it again:

  curl ${base}/apps -H 'Authorization: Bearer ${token}'

It is of the key ${KEY}: the next run gives that a new token, and ${terminal.invocation('key revoke', KEY)} revokes it.
Explore the API: ${base}/docs`
}

const listApps = async (base: string, token: string): Promise<App[]> => {
  const response = await fetch(`${base}/apps`, { headers: { authorization: `Bearer ${token}` } })
  if (!response.ok) throw new CommandError(`GET ${base}/apps answered ${response.status}: ${await response.text()}`)
  return (await response.json()) as App[]
}

const describe = (apps: App[]): string => {
  const rows = apps
    .slice(0, ROWS)
    .map(app => [
      String(app.id),
      app.name,
      app.descriptive_name,
      `${app.owner_type} ${app.owner_id}`,
      app.tags.map(({ context, name }) => `${context}:${name}`).join(' ')
    ])
  const owners = new Set(apps.map(({ owner_type: type, owner_id: id }) => `${type} ${id}`)).size
  const summary = `${apps.length} apps of ${owners} owners, ${rows.length} of them shown here.`
  return `${table([['ID', 'NAME', 'DESCRIPTIVE NAME', 'OWNER', 'TAGS'], ...rows])}\n\n${summary}`
}

export default command({
  description: `Shows the service at work: makes .env with a fresh CLIENT_SECRET where there is none, makes the
database with sample data in it, starts the service, issues a client key named quickstart, and calls GET /apps with
it. Then it serves until Ctrl-C. It can be run again at any time. The key then gets a new token and its old one
expires; nothing else changes.`,

  options: { once: { help: 'stop after the call' } },

  run: async ({ once = false }, terminal) => {
    const found = terminal.environment()
    const secret = found['CLIENT_SECRET'] ?? randomBytes(32).toString('hex')

    // A warning that there is no key yet would only confuse.
    const fastify = await createServer({ LOG_LEVEL: 'error', ...found, CLIENT_SECRET: secret })
    try {
      // As soon as the database knows the secret: without it, no later start would be accepted.
      if (found['CLIENT_SECRET'] === undefined) {
        saveToDotenv(join(terminal.cwd, '.env'), () => ({ CLIENT_SECRET: secret }))
      }
      const port = await listen(fastify)
      const known = await ownKey(terminal, fastify.clientKeys)
      const token = await tokenOf(fastify.clientKeys, known)
      const base = `http://${hostForClients(fastify.config.HOST)}:${port}`
      terminal.print(await describeCall(terminal, base, token, await loadSampleData(fastify)))
    } catch (error) {
      await fastify.close()
      throw error
    }

    if (once) await fastify.close()
    else {
      closeOnSignals(fastify)
      terminal.print('Press Ctrl-C to stop.')
    }
    return DONE
  }
})

/** Loads the sample data where the database has no data yet, and answers whether it did. */
const loadSampleData = async ({ storage, passwords }: FastifyInstance): Promise<boolean> => {
  const passwordHash = await passwords.hash(SAMPLE_PASSWORD)
  return await loadSample(storage, { sample, passwordHash, context: operatorContext() })
}
