import { checked } from '../domain/json/validation.ts'
import { ChangeKeyBody, toKeyChange } from '../domain/keys/fields.ts'
import { toKeyJson } from '../domain/keys/representation.ts'
import { command, DONE } from './command.ts'
import { UsageError } from './failures.ts'
import { policyRows } from './key-rows.ts'
import { KEY_ARGUMENT, keyOf, withKeys } from './keys.ts'
import { POLICY_HELP, policyBody, policyOptions } from './policy-options.ts'

export default command({
  help: `npm run key:change -- <key> [options]

Changes what a client key may do, from its next request on. What is not named stays as it is.

  <key>                 its id or its name, or - to read a token of it from standard input
  --name <name>         another name
${POLICY_HELP}
  --json                the key as it is now, as one JSON object
  --help                this text`,

  options: { name: { type: 'string' }, ...policyOptions, json: { type: 'boolean' } },
  argument: KEY_ARGUMENT,

  run: async ({ name, json, ...values }, terminal, argument) => {
    const body = { ...(name === undefined ? {} : { name }), ...policyBody(values) }
    if (Object.keys(body).length === 0) throw new UsageError('Say what to change.')
    return await withKeys(terminal, async (keys, author) => {
      const { id } = await keyOf(terminal, keys, argument)
      const key = await keys.change(id, toKeyChange(checked(ChangeKeyBody, body)), author)
      if (json === true) {
        terminal.printJson(toKeyJson(key))
        return DONE
      }
      terminal.print('The client key is changed, from its next request on:\n')
      terminal.printTable([['id', key.id], ['name', key.name], ...policyRows(key)])
      return DONE
    })
  }
})
