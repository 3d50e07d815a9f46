import { readConfig } from '../config/read.ts'
import { openStores } from '../db/open.ts'
import type { ClientKeyRecord } from '../domain/keys/client-key.ts'
import type { OpenLegacyToken } from '../domain/keys/legacy-token.ts'
import { createKeyRegistry } from '../domain/keys/registry.ts'
import type { KeyRegistry } from '../domain/keys/registry.ts'
import { toKeyJson } from '../domain/keys/representation.ts'
import type { Author } from '../domain/keys/store.ts'
import { createTokenSealer } from '../domain/keys/token.ts'
import { CommandError } from './failures.ts'
import { cliOrigin } from './origin.ts'
import type { Terminal } from './terminal.ts'

/** Opens the registry of the service that is configured here, and closes it when the work is done. */
export const withKeys = async <T>(
  terminal: Terminal,
  work: (keys: KeyRegistry, author: Author) => Promise<T>
): Promise<T> => {
  const config = readConfig(terminal.environment(), [
    'CLIENT_SECRET',
    'CLIENT_SECRET_PREVIOUS',
    'CLIENT_KEYS',
    'CLIENT_KEY_JWT',
    'DATABASE_URL'
  ])
  const previous = config.CLIENT_SECRET_PREVIOUS
  const secrets = [config.CLIENT_SECRET, ...previous]
  const openLegacyToken = config.CLIENT_KEY_JWT ? await legacyTokenOpener(secrets) : undefined
  const stores = openStores(config.DATABASE_URL)
  try {
    const keys = createKeyRegistry({
      store: stores.clientKeys,
      sealer: createTokenSealer(config.CLIENT_SECRET, previous),
      secrets,
      allowList: config.CLIENT_KEYS,
      openLegacyToken
    })
    return await work(keys, { origin: cliOrigin(), token: null })
  } finally {
    stores.close()
  }
}

// Loaded only where it is wanted, as in plugins/client-key-auth.ts.
const legacyTokenOpener = async (secrets: readonly string[]): Promise<OpenLegacyToken> => {
  const { createLegacyTokenOpener } = await import('../domain/keys/legacy-token.ts')
  return createLegacyTokenOpener(secrets)
}

/** The argument of a command that is about one key, and what it may be. */
export const KEY_ARGUMENT = 'key: its id or its name, or - to read a token of it from standard input'

/** The key that an argument stands for. Throws a CommandError where there is none. */
export const keyOf = async (terminal: Terminal, keys: KeyRegistry, argument: string): Promise<ClientKeyRecord> => {
  const key = argument === '-' ? (await keys.inspect(await readToken(terminal))).key : await keys.resolve(argument)
  if (key === null) {
    throw new CommandError(
      argument === '-'
        ? 'The token stands for no client key here; npm run key:inspect tells why.'
        : 'There is no client key of this id, nor one of this name that is not revoked.'
    )
  }
  return key
}

/** A key as JSON has it, with the digest of an environment key, by which its entry in CLIENT_KEYS is found. */
export const keyJson = (keys: KeyRegistry, key: ClientKeyRecord) => {
  const digest = keys.allowListEntry(key.id)
  return { ...toKeyJson(key), ...(digest === null ? {} : { digest }) }
}

/**
 * A token from standard input; blanks around it are ignored. Throws a CommandError where there is none, or far too
 * much.
 */
export const readToken = async (terminal: Terminal): Promise<string> => {
  const token = (await terminal.readInput()).trim()
  if (token === '') throw new CommandError('There is no token on standard input.')
  return token
}
