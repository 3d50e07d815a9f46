import { randomBytes } from 'node:crypto'
import { join, resolve } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import type { FastifyInstance } from 'fastify'
import { createServer } from '../app.ts'
import { ConfigError } from '../config/read.ts'
import type { Environment } from '../config/read.ts'
import { sqlitePathOf } from '../net/database-url.ts'
import type { ClientKeyRecord } from '../domain/keys/client-key.ts'
import type { KeyService } from '../domain/keys/service.ts'
import { UNSCOPED } from '../domain/keys/policy/scopes.ts'
import { listen } from '../http/listen.ts'
import { closeOnSignals } from '../http/signals.ts'
import { command, DONE } from './command.ts'
import { saveToDotenv } from './dotenv.ts'
import { CommandError } from './failures.ts'
import { operatorContext } from './operator.ts'
import { loadSampleData, loginRows, LOST_PASSWORDS, openSample, sampleUrl } from './sample-data.ts'
import { table } from './table.ts'
import type { Terminal } from './terminal.ts'

const KEY = 'quickstart'
const DESCRIPTION = 'Made by npm run quickstart'
const MADE = { scopes: [UNSCOPED], allowedIps: [], rateLimit: null, metadata: {} }
const KEY_DAYS = 7
const KEY_LIFE_MS = KEY_DAYS * 86_400_000
const ROWS = 12

interface App {
  id: number
  name: string
  descriptive_name: string
  owner_type: string
  owner_id: number
  tags: { context: string; name: string }[]
}

/** Returns the URL of quickstart's database. Throws a ConfigError if `DATABASE_URL` specifies another database. */
const ownUrl = (terminal: Terminal, { DATABASE_URL: given }: Environment): string => {
  const url = sampleUrl(terminal)
  if (given === undefined || resolve(sqlitePathOf(given)) === resolve(sqlitePathOf(url))) return url
  throw new ConfigError(
    'DATABASE_URL specifies another database, but quickstart only uses its own.',
    `Run this: DATABASE_URL=${url} ${terminal.invocation('quickstart')}`
  )
}

/** Returns the command line that runs the given command on quickstart's database, regardless of `DATABASE_URL`. */
const typed = (terminal: Terminal, name: string, args: string): string =>
  `DATABASE_URL=${sampleUrl(terminal)} ${terminal.invocation(name, args)}`

/**
 * Returns the key that an earlier run issued, or null if there is none. Throws a CommandError if the key is disabled,
 * or if it was changed or not issued by quickstart, because it may then be in use and have other permissions.
 */
const ownKey = async (terminal: Terminal, keys: KeyService): Promise<ClientKeyRecord | null> => {
  const revoke = typed(terminal, 'key revoke', KEY)
  const rename = typed(terminal, 'key change', `${KEY} --name <name>`)
  const key = await keys.resolve(KEY)
  if (key === null) return null
  if (!isOwn(key)) {
    throw new CommandError(
      `The client key ${KEY} was changed or was not issued by quickstart, so it is not replaced.`,
      `Rename it with ${rename}, or revoke it with ${revoke}, and try again.`
    )
  }
  if (!key.enabled) {
    throw new CommandError(
      `The client key ${KEY} is disabled.`,
      `Revoke it, so that the next run issues a new one: ${revoke}`
    )
  }
  return key
}

const isOwn = (key: ClientKeyRecord): boolean => {
  const { description, createdAt, createdBy, expiresAt, scopes, allowedIps, rateLimit, metadata } = key
  return (
    description === DESCRIPTION &&
    createdBy?.kind === 'cli' &&
    expiresAt !== null &&
    Number(expiresAt) - Number(createdAt) <= KEY_LIFE_MS &&
    isDeepStrictEqual({ scopes, allowedIps, rateLimit, metadata }, MADE)
  )
}

/** Issues a key and returns its token. Revokes any key from an earlier run, whose token wasn't stored. */
const replaceKey = async (keys: KeyService, known: ClientKeyRecord | null): Promise<string> => {
  const context = operatorContext()
  if (known !== null) await keys.revoke(known.id, 'replaced by a later run of quickstart', context)
  const expiresAt = new Date(Date.now() + KEY_LIFE_MS)
  return (await keys.issue({ name: KEY, description: DESCRIPTION, expiresAt }, context)).keyAccessToken
}

// If the service listens on all addresses, clients on this machine use a loopback address.
const ANY_ADDRESS: Readonly<Record<string, string | undefined>> = { '0.0.0.0': '127.0.0.1', '::': '[::1]' }

const hostForClients = (host: string): string => ANY_ADDRESS[host] ?? (host.includes(':') ? `[${host}]` : host)

/** Loads the sample data if it hasn't been loaded yet. Returns a message about its users. */
const describeUsers = async ({ storage, passwords }: FastifyInstance, url: string): Promise<string> => {
  const logins = await loadSampleData(storage, passwords)
  const data = `The sample data is in a separate database, ${url}.`
  return logins === null
    ? `${data} Its users keep their passwords.`
    : `${data} Its users can sign in with these
passwords, which can't be shown again:

${indented(table(loginRows(logins)))}`
}

const indented = (text: string): string => text.replaceAll(/^/gm, '  ')

const describeCall = async (terminal: Terminal, base: string, token: string): Promise<string> => {
  const apps = await listApps(base, token)
  return `
The service runs at ${base}. GET /apps with a client key returned all apps of all owners:

${describe(apps)}

Send the request again:

  curl ${base}/apps -H 'Authorization: Bearer ${token}'

The token belongs to the client key ${KEY}, which expires in ${KEY_DAYS} days and is replaced by the next run. To show
or revoke the key:

  ${typed(terminal, 'key show', KEY)}
  ${typed(terminal, 'key revoke', KEY)}

Explore the API: ${base}/docs`
}

const listApps = async (base: string, token: string): Promise<App[]> => {
  const response = await fetch(`${base}/apps`, { headers: { authorization: `Bearer ${token}` } })
  if (!response.ok) throw new CommandError(`GET ${base}/apps failed with ${response.status}: ${await response.text()}`)
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
  const summary = `${apps.length} apps of ${owners} owners; the first ${rows.length} are shown.`
  return `${table([['ID', 'NAME', 'DESCRIPTIVE NAME', 'OWNER', 'TAGS'], ...rows])}\n\n${summary}`
}

export default command({
  description: `Lets you try the service. The command creates .env with a new CLIENT_SECRET unless one is already set,
creates a database with sample data, starts the service, issues a client key named quickstart, and calls GET /apps with
it. The service then runs until you press Ctrl-C. You can run quickstart again at any time; each run replaces the key
that the previous run issued.

The sample data is in a separate database, file:./data/sample.db, which is marked as sample data and available only on
this machine. quickstart refuses to run if DATABASE_URL specifies another database. The key expires after 7 days.`,

  options: { once: { help: 'stop the service after the call' } },

  run: async ({ once = false }, terminal) => {
    const found = terminal.environment()
    const url = ownUrl(terminal, found)
    const secret = found['CLIENT_SECRET'] ?? randomBytes(32).toString('hex')
    const isNew = found['CLIENT_SECRET'] === undefined
    const env = {
      // Hides the warning that there is no client key yet.
      LOG_LEVEL: 'error',
      ...found,
      CLIENT_SECRET: secret,
      DATABASE_URL: url,
      // Empty, because the service is only reachable from this machine.
      PUBLIC_URL: '',
      // .env may have been deleted since the last run. A new secret is then safe: only quickstart uses this database.
      ...(isNew ? { ALLOW_NEW_SECRET: 'true' } : {})
    }

    await (await openSample(env)).close()
    const fastify = await createServer(env)
    try {
      const port = await listen(fastify)
      const known = await ownKey(terminal, fastify.clientKeys)
      // Saved only now, so that no .env is created if the service fails to start.
      if (isNew) saveToDotenv(join(terminal.cwd, '.env'), () => ({ CLIENT_SECRET: secret }))
      terminal.print(await describeUsers(fastify, url))
      await terminal.flush(LOST_PASSWORDS)
      const token = await replaceKey(fastify.clientKeys, known)
      terminal.print(await describeCall(terminal, `http://${hostForClients(fastify.config.HOST)}:${port}`, token))
      await terminal.flush()
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
