import { checked } from '../http/validation.ts'
import { ChangeKeyBody, toKeyChange } from '../http/representations/key-fields.ts'
import { toChangedJson } from '../http/representations/keys.ts'
import { command, DONE, jsonOption } from './command.ts'
import { UsageError } from './failures.ts'
import { policyRows } from './key-rows.ts'
import { KEY_ARGUMENT, keyOf, withKeys, receiptText } from './keys.ts'
import { policyBody, policyOptions } from './policy-options.ts'

export default command({
  description: `Changes the name or the policy of a client key. The change takes effect with the key's next request.
Anything you don't specify stays unchanged.`,

  options: {
    name: { value: '<name>', help: 'the new name' },
    ...policyOptions,
    ...jsonOption('print the changed key as one JSON object')
  },
  argument: KEY_ARGUMENT,

  run: async ({ name, json, ...values }, terminal, argument) => {
    const body = { ...(name === undefined ? {} : { name }), ...policyBody(values) }
    if (Object.keys(body).length === 0) throw new UsageError('Specify what to change.')
    return await withKeys(terminal, async (keys, context) => {
      const { id } = await keyOf(terminal, keys, argument)
      const change = toKeyChange(checked(ChangeKeyBody, body), keys.now())
      const changed = await keys.change(id, change, context)
      if (json === true) {
        terminal.printJson(toChangedJson(changed))
        return DONE
      }
      const { key } = changed
      terminal.print('The client key was changed, effective from its next request:\n')
      terminal.printTable([['id', key.id], ['name', key.name], ...policyRows(key)])
      terminal.print(`\n${receiptText(changed)}`)
      return DONE
    })
  }
})
