import type { ClientKeyRecord } from '../domain/keys/client-key.ts'
import { toTokenJson } from '../http/representations/keys.ts'
import { command, DONE, jsonOption } from './command.ts'
import { formatTimestamp, policyRows, stateOf, tokenRows } from './key-rows.ts'
import { KEY_ARGUMENT, keyJson, keyOf, readKeys } from './keys.ts'

export default command({
  description: `Shows a client key, its policy and its tokens, and when each token was last used. Uses within the last
second may be missing.`,

  options: jsonOption('print one JSON object'),
  argument: KEY_ARGUMENT,

  run: async ({ json = false }, terminal, argument) =>
    await readKeys(terminal, async keys => {
      const key = await keyOf(terminal, keys, argument)
      const tokens = await keys.tokens(key.id)
      if (json) {
        terminal.printJson({ ...keyJson(keys, key), tokens: tokens.map(toTokenJson) })
        return DONE
      }
      terminal.printTable(rowsOf(key))
      terminal.print('')
      terminal.printTable(tokenRows(tokens))
      return DONE
    })
})

const rowsOf = (key: ClientKeyRecord): string[][] => [
  ['id', key.id],
  ['name', key.name],
  ['description', key.description ?? '-'],
  ['source', key.source],
  ['state', stateOf(key)],
  ...policyRows(key),
  ['metadata', JSON.stringify(key.metadata)],
  [
    'created',
    key.createdBy === null ? '-' : `${formatTimestamp(key.createdAt)} by ${key.createdBy.kind} ${key.createdBy.name}`
  ],
  ...(key.revokedAt === null
    ? []
    : [['revoked', `${formatTimestamp(key.revokedAt)} ${key.revokedReason ?? ''}`.trim()]])
]
