import { DEFAULT_GRACE_SECONDS, MAX_GRACE_SECONDS } from '../keys/fields.ts'
import { toKeyJson, toTokenJson } from '../keys/representation.ts'
import { runCommand, UsageError } from './command.ts'
import { KEY_ARGUMENT, keyOf, printJson, printTable, tokenRows, withKeys } from './keys.ts'
import { toSeconds } from './policy-options.ts'

await runCommand({
  help: `npm run key:rotate -- <key> [--grace <time>] [--json]

Gives a client key a new token, which is live at once; its older tokens die when the grace is over.

  <key>            its id or its name, or - to read a token of it from standard input
  --grace <time>   how long the older tokens are still good: 1d unless told, 30d at most; 0s: not at all
  --json           one JSON object with key_id and key_access_token
  --help           this text`,

  options: { grace: { type: 'string' }, json: { type: 'boolean' } },
  argument: KEY_ARGUMENT,

  run: async ({ grace, json }, argument) => {
    const seconds = grace === undefined ? DEFAULT_GRACE_SECONDS : toSeconds(grace)
    if (seconds === null || seconds > MAX_GRACE_SECONDS) throw new UsageError('--grace must be a time such as 12h or 7d, 30d at most, or 0s.')
    await withKeys(async (keys, author) => {
      const { id } = await keyOf(keys, argument)
      const { key, keyId, keyAccessToken, older } = await keys.rotate(id, seconds, author)
      if (json === true) {
        printJson({ ...toKeyJson(key), key_id: keyId, key_access_token: keyAccessToken, older_tokens: older.map(toTokenJson) })
        return
      }
      console.log(`A new token for ${key.name}, which is live now. Neither of these can be shown again:

  key_id            ${keyId}
  key_access_token  ${keyAccessToken}

The older tokens, until when they are good, and from where they were last used:
`)
      printTable(tokenRows(older))
    })
  }
})
