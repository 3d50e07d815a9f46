import { toTokenJson } from '../domain/keys/representation.ts'
import { command, DONE } from './command.ts'
import { instantText, policyRows, stateOf, tokenRows } from './key-rows.ts'
import { KEY_ARGUMENT, keyJson, keyOf, withKeys } from './keys.ts'

export default command({
  help: `npm run key:show -- <key> [--json]

Shows a client key and its tokens: what it may do, until when, and how it was used, up to a second ago.

  <key>    its id or its name, or - to read a token of it from standard input
  --json   one JSON object
  --help   this text`,

  options: { json: { type: 'boolean' } },
  argument: KEY_ARGUMENT,

  run: async ({ json }, terminal, argument) => {
    return await withKeys(terminal, async keys => {
      const key = await keyOf(terminal, keys, argument)
      const tokens = await keys.tokens(key.id)
      if (json === true) {
        terminal.printJson({ ...keyJson(keys, key), tokens: tokens.map(toTokenJson) })
        return DONE
      }
      terminal.printTable([
        ['id', key.id],
        ['name', key.name],
        ['description', key.description ?? '-'],
        ['source', key.source],
        ['state', stateOf(key)],
        ...policyRows(key),
        ['metadata', key.metadata],
        [
          'created',
          key.createdBy === null ? '-' : `${instantText(key.createdAt)} by ${key.createdBy.kind} ${key.createdBy.name}`
        ],
        ...(key.revokedAt === null
          ? []
          : [['revoked', `${instantText(key.revokedAt)} ${key.revokedReason ?? ''}`.trim()]])
      ])
      terminal.print('')
      terminal.printTable(tokenRows(tokens))
      return DONE
    })
  }
})
