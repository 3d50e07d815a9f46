import { checked } from '../http/validation.ts'
import { RevokeBody, toReason } from '../http/representations/key-fields.ts'
import { toChangedJson } from '../http/representations/keys.ts'
import { command, DONE, jsonOption } from './command.ts'
import { KEY_ARGUMENT, keyOf, withKeys, receiptText } from './keys.ts'

export default command({
  description: `Revokes a client key and all its tokens, immediately and permanently. This also works for environment
keys, without a restart. Remove their entries from CLIENT_KEYS as well.`,

  options: {
    reason: { value: '<text>', help: 'the reason for the revocation, as displayed by key show' },
    ...jsonOption('print the revoked key as one JSON object')
  },
  argument: KEY_ARGUMENT,

  run: async ({ reason: text = null, json }, terminal, argument) => {
    const reason = toReason(checked(RevokeBody, { reason: text }))
    return await withKeys(terminal, async (keys, context) => {
      const { id } = await keyOf(terminal, keys, argument)
      const changed = await keys.revoke(id, reason, context)
      const next = changed.key.source === 'environment' ? [whatToRemove(keys.allowListEntry(id))] : []
      if (json === true) {
        terminal.printJson(toChangedJson(changed))
        await terminal.flush()
        next.forEach(terminal.warn)
      } else {
        const done = `The client key ${changed.key.name} and all its tokens were revoked.`
        terminal.print([done, receiptText(changed), ...next].join('\n'))
      }
      return DONE
    })
  }
})

// Otherwise, the entry would allow the key again if the service used another database or an older backup.
const whatToRemove = (entry: string | null): string =>
  `Remove its entry from CLIENT_KEYS as well: the key_id${entry === null ? '' : `, or ${entry}`}.`
