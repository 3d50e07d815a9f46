import { environment, readConfig } from '../config/read.ts'
import { listEntries } from '../config/list.ts'
import { openStores } from '../db/open.ts'
import type { ClientKeyRecord, TokenRecord } from '../keys/client-key.ts'
import { whyDead } from '../keys/client-key.ts'
import type { OpenLegacyToken } from '../keys/legacy-token.ts'
import { createKeyRegistry } from '../keys/registry.ts'
import type { KeyRegistry } from '../keys/registry.ts'
import type { Author } from '../keys/store.ts'
import { createTokenSealer } from '../keys/token.ts'
import { CommandError } from './command.ts'
import { cliOrigin } from './origin.ts'
import { table } from './table.ts'

const MOST_INPUT = 65_536

/** Opens the registry of the service that is configured here, and closes it when the work is done. */
export const withKeys = async (work: (keys: KeyRegistry, author: Author) => Promise<void>): Promise<void> => {
  const config = readConfig(environment(), ['CLIENT_SECRET', 'CLIENT_SECRET_PREVIOUS', 'CLIENT_KEYS', 'CLIENT_KEY_JWT', 'DATABASE_URL'])
  const previous = listEntries(config.CLIENT_SECRET_PREVIOUS)
  const secrets = [config.CLIENT_SECRET, ...previous]
  const openLegacyToken = config.CLIENT_KEY_JWT ? await legacyTokenOpener(secrets) : undefined
  const stores = openStores(config.DATABASE_URL)
  try {
    const keys = createKeyRegistry({
      store: stores.clientKeys,
      sealer: createTokenSealer(config.CLIENT_SECRET, previous),
      secrets,
      allowList: listEntries(config.CLIENT_KEYS),
      openLegacyToken
    })
    await work(keys, { origin: cliOrigin(), token: null })
  } finally {
    stores.close()
  }
}

// Loaded only where it is wanted, as in plugins/client-key-auth.ts.
const legacyTokenOpener = async (secrets: readonly string[]): Promise<OpenLegacyToken> => {
  const { createLegacyTokenOpener } = await import('../keys/legacy-token.ts')
  return createLegacyTokenOpener(secrets)
}

/** The argument of a command that is about one key, and what it may be. */
export const KEY_ARGUMENT = 'key: its id or its name, or - to read a token of it from standard input'

/** The key that an argument stands for. Throws a CommandError where there is none. */
export const keyOf = async (keys: KeyRegistry, argument: string): Promise<ClientKeyRecord> => {
  const key = argument === '-' ? (await keys.inspect(await readToken())).key : await keys.resolve(argument)
  if (key === null) {
    throw new CommandError(argument === '-'
      ? 'The token stands for no client key here; npm run key:inspect tells why.'
      : 'There is no client key of this id, nor one of this name that is not revoked.')
  }
  return key
}

/** A token from standard input; blanks around it are ignored. Throws a CommandError where there is none, or far too much. */
export const readToken = async (): Promise<string> => {
  const token = (await readInput()).trim()
  if (token === '') throw new CommandError('There is no token on standard input.')
  return token
}

/** What is on standard input. Throws a CommandError for far too much. */
export const readInput = async (): Promise<string> => {
  let text = ''
  for await (const chunk of process.stdin.setEncoding('utf8')) {
    text += String(chunk)
    if (text.length > MOST_INPUT) throw new CommandError('There is too much on standard input.')
  }
  return text
}

/** Prints one JSON document on standard output. */
export const printJson = (value: unknown): void => { console.log(JSON.stringify(value, null, 2)) }

export const printTable = (rows: readonly (readonly string[])[]): void => { console.log(table(rows)) }

/** What keeps a key from being let in now, in a word for people; `live` where nothing does. */
export const stateOf = (key: ClientKeyRecord): string => {
  const dead = whyDead({ key, digest: '', generation: '', ref: '', expiresAt: null, revokedAt: null }, Date.now())
  return dead === null ? 'live' : dead.replace('key_', '')
}

export const instantText = (instant: Date | null, none = '-'): string => instant?.toISOString().replace(/\.\d+Z$/, 'Z') ?? none

/** What a key may do, in a few words. */
export const policyRows = (key: ClientKeyRecord): string[][] => [
  ['scopes', key.scopes.join(' ')],
  ['expires', instantText(key.expiresAt, 'never')],
  ['allowed_ips', key.allowedIps.join(' ') || 'any'],
  ['rate_limit', key.rateLimit === null ? 'none' : `${key.rateLimit.max}/${key.rateLimit.windowSeconds}s`]
]

export const tokenRows = (tokens: readonly TokenRecord[]): string[][] => [
  ['TOKEN', 'GENERATION', 'CREATED', 'DIES', 'LAST USED', 'FROM', 'BY', 'USES'],
  ...tokens.map(token => [
    token.hint === null ? '-' : `…${token.hint}`,
    token.generation,
    instantText(token.createdAt),
    token.revokedAt === null ? instantText(token.expiresAt) : 'revoked',
    instantText(token.lastUsedAt, 'never'),
    token.lastUsedIp ?? '-',
    token.lastUsedAgent ?? '-',
    String(token.useCount)
  ])
]
