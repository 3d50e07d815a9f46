import { checked } from '../domain/json/validation.ts'
import { RevokeBody, toReason } from '../domain/keys/fields.ts'
import { toKeyJson } from '../domain/keys/representation.ts'
import { command, DONE } from './command.ts'
import { KEY_ARGUMENT, keyOf, withKeys } from './keys.ts'

export default command({
  help: `npm run key:revoke -- <key> [--reason <text>] [--json]

Revokes a client key and all its tokens, at once and for good. Keys of CLIENT_KEYS can be revoked as well; no restart is needed.

  <key>             its id or its name, or - to read a token of it from standard input
  --reason <text>   why, for those who ask later
  --json            the key as it is now, as one JSON object
  --help            this text`,

  options: { reason: { type: 'string' }, json: { type: 'boolean' } },
  argument: KEY_ARGUMENT,

  run: async ({ reason: text = null, json }, terminal, argument) => {
    const reason = toReason(checked(RevokeBody, { reason: text }))
    return await withKeys(terminal, async (keys, author) => {
      const { id } = await keyOf(terminal, keys, argument)
      const key = await keys.revoke(id, reason, author)
      if (json === true) terminal.printJson(toKeyJson(key))
      else terminal.print(`The client key ${key.name} is revoked, with all its tokens.`)
      return DONE
    })
  }
})
