import { readConfig } from '../config/read.ts'
import { KEY_VARIABLES, keySettings } from '../config/keys.ts'
import type { Purpose } from '../db/open.ts'
import type { RequestContext } from '../domain/access/principal.ts'
import type { ClientKeyRecord } from '../domain/keys/client-key.ts'
import { checkOfCommand, generationsOf } from '../domain/keys/token/secrets.ts'
import { createKeyService } from '../domain/keys/service.ts'
import type { KeyService } from '../domain/keys/service.ts'
import { toKeyJson } from '../http/representations/keys.ts'
import { CommandError } from './failures.ts'
import { operatorContext } from './operator.ts'
import { withStorage } from './storage.ts'
import type { Terminal } from './terminal.ts'
import type { Known } from '../domain/keys/freshness/receipt.ts'

/** Opens the configured database, runs `work` with its keys, and closes the database. */
export const withKeys = async <T>(
  terminal: Terminal,
  work: (keys: KeyService, context: RequestContext) => Promise<T>,
  purpose: Pick<Purpose, 'readOnly'> = {}
): Promise<T> => {
  const settings = keySettings(readConfig(terminal.environment(), KEY_VARIABLES))
  const checkSecrets = checkOfCommand(generationsOf(settings.secret, settings.previousSecrets))
  return await withStorage(
    terminal,
    async ({ keys: store }) => await work(createKeyService({ store, ...settings, checkSecrets }), operatorContext()),
    purpose
  )
}

/** Like `withKeys`, but opens the database for reading only. */
export const readKeys = async <T>(terminal: Terminal, work: (keys: KeyService) => Promise<T>): Promise<T> =>
  await withKeys(terminal, work, { readOnly: true })

/** The argument of all commands that act on one key. */
export const KEY_ARGUMENT = {
  name: 'key',
  help: 'the id or the name of the key, or - to read one of its tokens from standard input'
} as const

/** Returns the key that the argument identifies. Throws a CommandError if there is none. */
export const keyOf = async (terminal: Terminal, keys: KeyService, argument: string): Promise<ClientKeyRecord> => {
  const key = argument === '-' ? (await keys.inspect(await readToken(terminal))).key : await keys.resolve(argument)
  if (key === null) {
    throw argument === '-'
      ? new CommandError(
          'No client key of this service has this token.',
          `To find out why, run: ${terminal.invocation('key inspect')}`
        )
      : new CommandError('There is no client key with this id or name. Revoked keys can be found only by id.')
  }
  return key
}

/** Returns a key as JSON. For an environment key, this includes the digest that identifies its entry in CLIENT_KEYS. */
export const keyJson = (keys: KeyService, key: ClientKeyRecord) => {
  const digest = keys.allowListEntry(key.id)
  return { ...toKeyJson(key), ...(digest === null ? {} : { digest }) }
}

/** Reads a token from standard input and trims whitespace. Throws a CommandError if the input is empty or too long. */
export const readToken = async (terminal: Terminal): Promise<string> => {
  const token = (await terminal.readInput()).trim()
  if (token === '') throw new CommandError('There is no token on standard input.')
  return token
}

/** Returns one line that describes when a change took effect, and how many nodes acknowledged it. */
export const receiptText = ({ receiptId, receipt }: Known): string => {
  if (receipt === null) {
    const lost = 'the database became unavailable before all nodes acknowledged the change'
    return `Receipt ${receiptId}: ${lost}. Check GET /receipts/${receiptId}.`
  }
  const { effectiveAt, nodes, acknowledged, leasesEnded, waitedMs } = receipt
  const since = `Receipt ${receiptId}: the change has applied to every request since ${effectiveAt.toISOString()}`
  if (nodes === 0) return `${since}.`
  const ended = leasesEnded === 0 ? '' : `, ${leasesEnded} ${leasesEnded === 1 ? 'lease' : 'leases'} ended`
  return `${since}; ${acknowledged} of ${nodes} nodes acknowledged it${ended}, after ${waitedMs} ms.`
}
