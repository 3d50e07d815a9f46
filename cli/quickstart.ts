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
const MADE = { scopes: [UNSCOPED], allowedIps: [], rateLimit: null, metadata: '{}' }
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

/** The database of quickstart. Throws a ConfigError if `DATABASE_URL` names another. */
const ownUrl = (terminal: Terminal, { DATABASE_URL: given }: Environment): string => {
  const url = sampleUrl(terminal)
  if (given === undefined || resolve(sqlitePathOf(given)) === resolve(sqlitePathOf(url))) return url
  throw new ConfigError(
    'DATABASE_URL names another database than the one of quickstart, which changes no other.',
    `Run this: DATABASE_URL=${url} ${terminal.invocation('quickstart')}`
  )
}

/** What to type to run a command on the database of quickstart, whatever `DATABASE_URL` is there. */
const typed = (terminal: Terminal, name: string, args: string): string =>
  `DATABASE_URL=${sampleUrl(terminal)} ${terminal.invocation(name, args)}`

/**
 * The key that an earlier run made, as it made it; null where there is none. Throws a CommandError where the name is of
 * another key: what that allows, and whom, is not known here.
 */
const ownKey = async (terminal: Terminal, keys: KeyService): Promise<ClientKeyRecord | null> => {
  const revoke = typed(terminal, 'key revoke', KEY)
  const rename = typed(terminal, 'key change', `${KEY} --name <name>`)
  const key = await keys.resolve(KEY)
  if (key === null) return null
  if (!isOwn(key)) {
    throw new CommandError(
      `The client key ${KEY} is not as quickstart makes it, so it is left as it is.`,
      `Rename it with ${rename}, or revoke it with ${revoke}, and try again.`
    )
  }
  if (!key.enabled) {
    throw new CommandError(`The client key ${KEY} is disabled.`, `Have the next run make a new one with: ${revoke}`)
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

/** A new key, in place of the one that an earlier run made: the token of that one is known to nobody here. */
const replaceKey = async (keys: KeyService, known: ClientKeyRecord | null): Promise<string> => {
  const context = operatorContext()
  if (known !== null) await keys.revoke(known.id, 'replaced by a later run of quickstart', context)
  const expiresAt = new Date(Date.now() + KEY_LIFE_MS)
  return (await keys.issue({ name: KEY, description: DESCRIPTION, expiresAt }, context)).keyAccessToken
}

// What listens on every address is called on a loopback one.
const ANY_ADDRESS: Readonly<Record<string, string | undefined>> = { '0.0.0.0': '127.0.0.1', '::': '[::1]' }

const hostForClients = (host: string): string => ANY_ADDRESS[host] ?? (host.includes(':') ? `[${host}]` : host)

/** Loads the sample data where there is none yet, and returns what there is to tell of its users. */
const describeUsers = async ({ storage, passwords }: FastifyInstance, url: string): Promise<string> => {
  const logins = await loadSampleData(storage, passwords)
  const data = `The sample data is in a database of its own, ${url}.`
  return logins === null
    ? `${data} Its users keep their passwords.`
    : `${data} Its users sign in with these
passwords, which can't be shown again:

${indented(table(loginRows(logins)))}`
}

const indented = (text: string): string => text.replaceAll(/^/gm, '  ')

const describeCall = async (terminal: Terminal, base: string, token: string): Promise<string> => {
  const apps = await listApps(base, token)
  return `
The service runs at ${base}, and GET /apps returned every app of every owner to a client key:

${describe(apps)}

Call it again:

  curl ${base}/apps -H 'Authorization: Bearer ${token}'

The token is of the key ${KEY}, which expires in ${KEY_DAYS} days and is replaced by the next run. To look at the key,
and to revoke it:

  ${typed(terminal, 'key show', KEY)}
  ${typed(terminal, 'key revoke', KEY)}

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
  description: `Shows the service at work: makes .env with a fresh CLIENT_SECRET where there is none, makes a database
with sample data in it, starts the service, issues a client key named quickstart, and calls GET /apps with it. Then it
serves until Ctrl-C. It can be run again at any time: a new key then replaces the one of the run before.

The database is file:./data/sample.db, of its own and marked as sample data; it is served to this machine only. With
another DATABASE_URL, quickstart refuses. Its key expires after 7 days.`,

  options: { once: { help: 'stop after the call' } },

  run: async ({ once = false }, terminal) => {
    const found = terminal.environment()
    const url = ownUrl(terminal, found)
    const secret = found['CLIENT_SECRET'] ?? randomBytes(32).toString('hex')
    const isNew = found['CLIENT_SECRET'] === undefined
    const env = {
      LOG_LEVEL: 'error',
      ...found,
      CLIENT_SECRET: secret,
      DATABASE_URL: url,
      // It serves this machine only.
      PUBLIC_URL: '',
      // The database is of quickstart alone, and .env may have been removed since the last run.
      ...(isNew ? { ALLOW_NEW_SECRET: 'true' } : {})
    }

    await (await openSample(env)).close()
    // A warning that there is no key yet would only confuse.
    const fastify = await createServer(env)
    try {
      const port = await listen(fastify)
      const known = await ownKey(terminal, fastify.clientKeys)
      // Only now, so that a start that fails leaves no .env behind.
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
