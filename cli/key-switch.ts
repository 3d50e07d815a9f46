import { toChangedJson } from '../http/representations/keys.ts'
import { command, DONE, jsonOption } from './command.ts'
import type { Command } from './command.ts'
import { KEY_ARGUMENT, keyOf, withKeys, receiptText } from './keys.ts'

const switchCommand = (enabled: boolean, description: string, done: string): Command =>
  command({
    description,
    options: jsonOption('the key as it is now, as one JSON object'),
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
  'Stops a client key from its next request on, until key enable lets it in again.',
  'stopped; key enable lets it in again'
)

export const enable = switchCommand(true, 'Lets a client key in again that key disable stopped.', 'enabled')
