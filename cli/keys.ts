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
import type { ChangedKey } from '../domain/keys/freshness/receipt.ts'

/** Opens the keys of the service that is configured here, and closes them when the work is done. */
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

/** The same for what only reads. */
export const readKeys = async <T>(terminal: Terminal, work: (keys: KeyService) => Promise<T>): Promise<T> =>
  await withKeys(terminal, work, { readOnly: true })

/** The argument of a command that is about one key. */
export const KEY_ARGUMENT = {
  name: 'key',
  help: 'its id or its name, or - to read a token of it from standard input'
} as const

/** The key that an argument stands for. Throws a CommandError where there is none. */
export const keyOf = async (terminal: Terminal, keys: KeyService, argument: string): Promise<ClientKeyRecord> => {
  const key = argument === '-' ? (await keys.inspect(await readToken(terminal))).key : await keys.resolve(argument)
  if (key === null) {
    throw argument === '-'
      ? new CommandError(
          'The token stands for no client key here.',
          `To see why: ${terminal.invocation('key inspect')}`
        )
      : new CommandError('There is no client key of this id, nor one of this name that is not revoked.')
  }
  return key
}

/** A key as JSON has it, with the digest of an environment key, by which its entry in CLIENT_KEYS is found. */
export const keyJson = (keys: KeyService, key: ClientKeyRecord) => {
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

/** One line that tells who obeys a change. */
export const receiptText = ({ receiptId, receipt }: Omit<ChangedKey, 'key'>): string => {
  if (receipt === null) {
    const lost = 'the database was lost before it was known whether every node obeys'
    return `Receipt ${receiptId}: ${lost}. Ask GET /receipts/${receiptId}.`
  }
  const { effectiveAt, nodes, acknowledged, leasesEnded, waitedMs } = receipt
  const since = `Receipt ${receiptId}: every request since ${effectiveAt.toISOString()} obeys`
  if (nodes === 0) return `${since}.`
  const ended = leasesEnded === 0 ? '' : `, ${leasesEnded} ${leasesEnded === 1 ? 'lease' : 'leases'} ended`
  return `${since}: ${acknowledged} of ${nodes} nodes acknowledged${ended}, after ${waitedMs} ms.`
}
