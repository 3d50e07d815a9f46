import { toKeyJson, toTokenJson } from '../keys/representation.ts'
import { runCommand } from './command.ts'
import { instantText, KEY_ARGUMENT, keyOf, policyRows, printJson, printTable, stateOf, tokenRows, withKeys } from './keys.ts'

await runCommand({
  help: `npm run key:show -- <key> [--json]

Shows a client key and its tokens: what it may do, until when, and how it was used, up to a second ago.

  <key>    its id or its name, or - to read a token of it from standard input
  --json   one JSON object
  --help   this text`,

  options: { json: { type: 'boolean' } },
  argument: KEY_ARGUMENT,

  run: async ({ json }, argument) => {
    await withKeys(async keys => {
      const key = await keyOf(keys, argument)
      const tokens = await keys.tokens(key.id)
      if (json === true) {
        printJson({ ...toKeyJson(key), tokens: tokens.map(toTokenJson) })
        return
      }
      printTable([
        ['id', key.id],
        ['name', key.name],
        ['description', key.description ?? '-'],
        ['source', key.source],
        ['state', stateOf(key)],
        ...policyRows(key),
        ['metadata', key.metadata],
        ['created', key.createdBy === null ? '-' : `${instantText(key.createdAt)} by ${key.createdBy.kind} ${key.createdBy.name}`],
        ...key.revokedAt === null ? [] : [['revoked', `${instantText(key.revokedAt)} ${key.revokedReason ?? ''}`.trim()]]
      ])
      console.log('')
      printTable(tokenRows(tokens))
    })
  }
})
