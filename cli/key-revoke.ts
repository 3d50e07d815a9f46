import { checked } from '../http/validation.ts'
import { RevokeBody, toReason } from '../http/representations/key-fields.ts'
import { toChangedJson } from '../http/representations/keys.ts'
import { command, DONE, jsonOption } from './command.ts'
import { KEY_ARGUMENT, keyOf, withKeys, receiptText } from './keys.ts'

export default command({
  description: `Revokes a client key and all its tokens, at once and permanently. Keys of CLIENT_KEYS can be revoked as
well, without a restart; remove their entry there too.`,

  options: {
    reason: { value: '<text>', help: 'why, for those who ask later' },
    ...jsonOption('the key as it is now, as one JSON object')
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
        const done = `The client key ${changed.key.name} is revoked, with all its tokens.`
        terminal.print([done, receiptText(changed), ...next].join('\n'))
      }
      return DONE
    })
  }
})

// With another database, or with one that was restored, the entry would allow the key again.
const whatToRemove = (entry: string | null): string =>
  `Remove its entry from CLIENT_KEYS as well: the key_id${entry === null ? '' : `, or ${entry}`}.`
