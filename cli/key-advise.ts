import { adviseOn } from '../domain/keys/usage/advice.ts'
import { CommandError } from './failures.ts'
import { lookBack } from './look-back.ts'

const FOR_ENVIRONMENT_KEYS = `An environment key can't have a policy. Issue a managed key with this policy, and revoke
the environment key when it is no longer used.`

export default lookBack({
  description: `Suggests the strictest policy that would have allowed all recorded requests with a client key: the
fewest scopes and IP ranges. Use it to restrict unscoped keys. The policy can be used as the request body for PATCH
/client_keys/<id>.`,

  json: 'print only the request body',

  report: (terminal, { id, name, source, scopes: current }, usage, asJson) => {
    const advice = adviseOn(usage, current)
    if (advice === null) {
      throw new CommandError(`No use of ${name} was recorded in this period, so no policy can be suggested.`)
    }
    const { scopes, allowedIps, requests } = advice
    const body = { scopes, ...(allowedIps === null ? {} : { allowed_ips: allowedIps }) }
    if (asJson) {
      terminal.printJson(body)
      return
    }
    terminal.print(
      `${requests} requests with ${name} were accepted. This is the strictest policy that would have allowed them:\n`
    )
    terminal.printJson(body)
    if (allowedIps === null) {
      terminal.print('\nThe requests came from too many or unknown addresses to suggest IP ranges.')
    }
    terminal.print(
      source === 'managed'
        ? `\nTo apply it, send PATCH /client_keys/${id} with this body, or run ${terminal.invocation('key change')}.`
        : `\n${FOR_ENVIRONMENT_KEYS}`
    )
  }
})
