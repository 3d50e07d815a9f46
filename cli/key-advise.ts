import { adviseOn } from '../domain/keys/advice.ts'
import { command, DONE } from './command.ts'
import { DEFAULT_DAYS, toDays } from './days.ts'
import { CommandError } from './failures.ts'
import { KEY_ARGUMENT, keyOf, withKeys } from './keys.ts'

export default command({
  help: `npm run key:advise -- <key> [--days <n>] [--json]

Reads how a client key was used, and proposes the least scopes and IP ranges that would have served all of it, as a body for
PATCH /client_keys/<id>: the way out of unscoped keys.

  <key>       its id or its name, or - to read a token of it from standard input
  --days <n>  look back so many days, today included: ${DEFAULT_DAYS} unless told, 90 at most
  --json      the body and nothing else
  --help      this text`,

  options: { days: { type: 'string' }, json: { type: 'boolean' } },
  argument: KEY_ARGUMENT,

  run: async ({ days = DEFAULT_DAYS, json }, terminal, argument) => {
    const count = toDays(days)
    return await withKeys(terminal, async keys => {
      const key = await keyOf(terminal, keys, argument)
      const advice = adviseOn(await keys.usage(key.id, count))
      if (advice === null) {
        throw new CommandError(`Nothing was seen of ${key.name} in these days, so there is nothing to go by.`)
      }
      const { scopes, allowedIps, requests } = advice
      const body = { scopes, ...(allowedIps === null ? {} : { allowed_ips: allowedIps }) }
      if (json === true) {
        terminal.printJson(body)
        return DONE
      }
      terminal.print(
        `${requests} requests of ${key.name} were let in. This would have let all of them in, and nothing else:\n`
      )
      terminal.printJson(body)
      if (allowedIps === null) terminal.print('\nThey came from too many addresses to propose ranges.')
      terminal.print(
        key.source === 'managed'
          ? `\nTo hold the key to it: PATCH /client_keys/${key.id} with this body, or npm run key:change.`
          : '\nKeys of CLIENT_KEYS can not be held to anything: issue a managed key with this policy, and revoke this one when nobody uses it.'
      )
      return DONE
    })
  }
})
