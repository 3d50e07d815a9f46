import { join } from 'node:path'
import { environment, readConfig } from '../config/read.ts'
import { createTokenSealer, digestOf, issueClientKey } from '../domain/keys/token/token.ts'
import { callText, credentialsText } from './credentials.ts'
import { saveToDotenv } from './dotenv.ts'
import { CommandError } from './failures.ts'
import type { Terminal } from './terminal.ts'

/**
 * Creates and prints a key for CLIENT_KEYS. If `allow` is true, adds the key's digest to `.env`. Nothing else is
 * stored.
 */
export const issueForEnvironment = async (terminal: Terminal, allow: boolean, json: boolean): Promise<void> => {
  const env = terminal.environment()
  const { CLIENT_SECRET } = readConfig(env, ['CLIENT_SECRET'])
  const { keyId, keyAccessToken } = issueClientKey(createTokenSealer(CLIENT_SECRET))
  const digest = `sha256:${digestOf(keyId)}`
  const hasEntries = env['CLIENT_KEYS'] !== undefined
  if (allow) allowInDotenv(terminal, digest)

  const next = (values: readonly string[]): string => (allow ? ALLOWED : howToAllow(terminal, values, hasEntries))
  if (json) {
    terminal.print(JSON.stringify({ key_id: keyId, key_access_token: keyAccessToken, digest }))
    await terminal.flush(LOST)
    terminal.warn(`Neither key_id nor key_access_token can be shown again. ${next([digest])}`)
    return
  }
  terminal.print(`A new client key. ${credentialsText(keyId, keyAccessToken)}

${next([keyId, digest])} (A key with --name is active immediately.)

${callText(keyAccessToken)}`)
  await terminal.flush(LOST)
}

/** The hint to show if the key couldn't be printed. */
const LOST = 'Issue another key.'

const RESTART = 'Then restart the service to activate the key.'

const ALLOWED = 'Its digest is now in CLIENT_KEYS in .env. Restart the service to activate the key.'

const howToAllow = (terminal: Terminal, values: readonly string[], hasEntries: boolean): string => {
  const place = hasEntries ? 'add it to CLIENT_KEYS in .env after the existing entries (…)' : 'add it to .env'
  const lines = values.map(value => `  CLIENT_KEYS=${hasEntries ? '…,' : ''}${value}`)
  return `To allow it, ${place}:

${lines.join('\n\nor add the digest, which reveals nothing if .env leaks:\n\n')}

${terminal.invocation('key issue', '--allow')} does this for you. ${RESTART}`
}

const allowInDotenv = (terminal: Terminal, entry: string): void => {
  const dotenv = join(terminal.cwd, '.env')
  if (terminal.environment()['CLIENT_KEYS'] !== environment(dotenv, {})['CLIENT_KEYS']) {
    throw new CommandError(
      'CLIENT_KEYS is set in the environment, which overrides .env, so an entry in .env would have no effect.',
      'Issue the key without --allow, and add it to CLIENT_KEYS in the environment.'
    )
  }
  saveToDotenv(dotenv, ({ CLIENT_KEYS: entries = '' }) => ({
    CLIENT_KEYS: entries.trim() === '' ? entry : `${entries},${entry}`
  }))
}
