import { randomBytes } from 'node:crypto'
import { createServer } from '../app.ts'
import { environment } from '../config/read.ts'
import { sample, SAMPLE_PASSWORD } from '../db/sample.ts'
import { closeOnSignals, listen } from '../http/listen.ts'
import { createTokenSealer, digestOf, issueClientKey } from '../keys/token.ts'
import { CommandError, runCommand } from './command.ts'
import { cliOrigin } from './origin.ts'
import { saveToDotenv } from './dotenv.ts'
import { table } from './table.ts'

const DOTENV = '.env'
const ROWS = 12

interface App {
  id: number
  name: string
  descriptive_name: string
  owner_type: string
  owner_id: number
  tags: { context: string, name: string }[]
}

const issue = (secret: string): { keyAccessToken: string, entry: string } => {
  const { keyId, keyAccessToken } = issueClientKey(createTokenSealer(secret))
  return { keyAccessToken, entry: `sha256:${digestOf(keyId)}` }
}

const withEntry = (list: string | undefined, entry: string): string => list === undefined ? entry : `${list},${entry}`

// What listens on every address is called on a loopback one.
const ANY_ADDRESS: Readonly<Record<string, string | undefined>> = { '0.0.0.0': '127.0.0.1', '::': '[::1]' }

const hostForClients = (host: string): string =>
  ANY_ADDRESS[host] ?? (host.includes(':') ? `[${host}]` : host)

const show = async (base: string, token: string, loaded: boolean): Promise<void> => {
  const apps = await listApps(base, token)
  console.log(`
The service runs at ${base}, and GET /apps answered a client key with every app of every owner${loaded ? ' (sample data)' : ''}:

${describe(apps)}

Call it again:

  curl ${base}/apps -H 'Authorization: Bearer ${token}'

The token can't be shown again; its digest is in CLIENT_KEYS in ${DOTENV}. Explore the API: ${base}/docs`)
}

const listApps = async (base: string, token: string): Promise<App[]> => {
  const response = await fetch(`${base}/apps`, { headers: { authorization: `Bearer ${token}` } })
  if (!response.ok) throw new CommandError(`GET ${base}/apps answered ${response.status}: ${await response.text()}`)
  return await response.json() as App[]
}

const describe = (apps: App[]): string => {
  const rows = apps.slice(0, ROWS).map(app => [
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

await runCommand({
  help: `npm run quickstart [-- --once]

Shows the service at work: makes .env with a fresh CLIENT_SECRET where there is none, issues and allows a client key, makes
the database with sample data in it, starts the service, and calls GET /apps with the key. Then it serves until Ctrl-C.
It can be run again at any time: nothing is lost.

  --once   stop after the call
  --help   this text`,

  options: { once: { type: 'boolean' } },

  run: async ({ once }) => {
    const found = environment(DOTENV)
    const secret = found['CLIENT_SECRET'] ?? randomBytes(32).toString('hex')
    const { keyAccessToken, entry } = issue(secret)

    const fastify = await createServer({
      LOG_LEVEL: 'warn', ...found, CLIENT_SECRET: secret, CLIENT_KEYS: withEntry(found['CLIENT_KEYS'], entry)
    })
    const port = await listen(fastify)
    try {
      // Only now, so that a start that fails leaves nothing behind.
      saveToDotenv(DOTENV, {
        ...found['CLIENT_SECRET'] === undefined ? { CLIENT_SECRET: secret } : {},
        CLIENT_KEYS: withEntry(environment(DOTENV, {})['CLIENT_KEYS'], entry)
      })
      const loaded = await fastify.stores.loadSample(sample, await fastify.passwords.hash(SAMPLE_PASSWORD), cliOrigin())
      await show(`http://${hostForClients(fastify.config.HOST)}:${port}`, keyAccessToken, loaded)
    } catch (error) {
      await fastify.close()
      throw error
    }

    if (once === true) {
      await fastify.close()
      return
    }
    closeOnSignals(fastify)
    console.log('Press Ctrl-C to stop.')
  }
})
