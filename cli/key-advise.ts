import { adviseOn } from '../domain/keys/usage/advice.ts'
import { CommandError } from './failures.ts'
import { lookBack } from './look-back.ts'

const FOR_ENVIRONMENT_KEYS = `Keys of CLIENT_KEYS can not be held to anything: issue a managed key with this policy, and
revoke this one when nobody uses it.`

export default lookBack({
  description: `Reads how a client key was used, and proposes the least scopes and IP ranges that would have served all
of it, as a body for PATCH /client_keys/<id>: the way out of unscoped keys.`,

  json: 'the body and nothing else',

  tell: (terminal, { id, name, source }, usage, asJson) => {
    const advice = adviseOn(usage)
    if (advice === null) {
      throw new CommandError(`No use of ${name} was recorded in these days, so there is nothing to go by.`)
    }
    const { scopes, allowedIps, requests } = advice
    const body = { scopes, ...(allowedIps === null ? {} : { allowed_ips: allowedIps }) }
    if (asJson) {
      terminal.printJson(body)
      return
    }
    terminal.print(
      `${requests} requests of ${name} were accepted. This would have allowed all of them, and nothing else:\n`
    )
    terminal.printJson(body)
    if (allowedIps === null) terminal.print('\nThey came from too many addresses to propose ranges.')
    terminal.print(
      source === 'managed'
        ? `\nTo hold the key to it: PATCH /client_keys/${id} with this body, or ${terminal.invocation('key change')}.`
        : `\n${FOR_ENVIRONMENT_KEYS}`
    )
  }
})
