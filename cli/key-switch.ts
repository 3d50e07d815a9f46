import { toChangedJson } from '../http/representations/keys.ts'
import { command, DONE, jsonOption } from './command.ts'
import type { Command } from './command.ts'
import { KEY_ARGUMENT, keyOf, withKeys, receiptText } from './keys.ts'

const switchCommand = (enabled: boolean, description: string, done: string): Command =>
  command({
    description,
    options: jsonOption('print the changed key as one JSON object'),
    argument: KEY_ARGUMENT,

    run: async ({ json: asJson }, terminal, argument) =>
      await withKeys(terminal, async (keys, context) => {
        const { id } = await keyOf(terminal, keys, argument)
        const changed = await keys.change(id, { enabled }, context)
        if (asJson === true) terminal.printJson(toChangedJson(changed))
        else {
          terminal.print(`The client key ${changed.key.name} is ${done}.`)
          terminal.print(receiptText(changed))
        }
        return DONE
      })
  })

export const disable = switchCommand(
  false,
  'Disables a client key, starting with its next request. Run key enable to enable it again.',
  'disabled. Run key enable to enable it again'
)

export const enable = switchCommand(true, 'Enables a disabled client key, starting with its next request.', 'enabled')
