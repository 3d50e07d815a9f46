import { adviseOn } from '../keys/advice.ts'
import { DAYS_KEPT } from '../keys/evidence.ts'
import { CommandError, runCommand, UsageError } from './command.ts'
import { KEY_ARGUMENT, keyOf, printJson, withKeys } from './keys.ts'

await runCommand({
  help: `npm run key:advise -- <key> [--days <n>] [--json]

Reads how a client key was used, and proposes the least scopes and IP ranges that would have served all of it, as a body for
PATCH /client_keys/<id>: the way out of unscoped keys.

  <key>       its id or its name, or - to read a token of it from standard input
  --days <n>  look back so many days, today included: 30 unless told, 90 at most
  --json      the body and nothing else
  --help      this text`,

  options: { days: { type: 'string' }, json: { type: 'boolean' } },
  argument: KEY_ARGUMENT,

  run: async ({ days = '30', json }, argument) => {
    if (!/^[1-9]\d?$/.test(days) || Number(days) > DAYS_KEPT) throw new UsageError(`--days must be a number from 1 to ${DAYS_KEPT}.`)
    await withKeys(async keys => {
      const key = await keyOf(keys, argument)
      const advice = adviseOn(await keys.usage(key.id, Number(days)))
      if (advice === null) throw new CommandError(`Nothing was seen of ${key.name} in these days, so there is nothing to go by.`)
      const { scopes, allowedIps, requests } = advice
      const body = { scopes, ...allowedIps === null ? {} : { allowed_ips: allowedIps } }
      if (json === true) {
        printJson(body)
        return
      }
      console.log(`${requests} requests of ${key.name} were let in. This would have let all of them in, and nothing else:\n`)
      printJson(body)
      if (allowedIps === null) console.log('\nThey came from too many addresses to propose ranges.')
      console.log(key.source === 'managed'
        ? `\nTo hold the key to it: PATCH /client_keys/${key.id} with this body, or npm run key:change.`
        : '\nKeys of CLIENT_KEYS can not be held to anything: issue a managed key with this policy, and revoke this one when nobody uses it.')
    })
  }
})
