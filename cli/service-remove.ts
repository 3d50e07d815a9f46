import { toChangedServiceJson } from '../http/representations/services.ts'
import { command, DONE, jsonOption } from './command.ts'
import { receiptText } from './keys.ts'
import { forceOption, lossText, SERVICE_ARGUMENT, withServices } from './services.ts'

export default command({
  description: `Removes a service and its scopes. With --force, client keys that have any of them lose them. A key that
loses its last scope can do nothing. A new service with the same name doesn't give the scopes back.`,

  options: { ...forceOption, ...jsonOption('print the removed service as one JSON object') },
  argument: SERVICE_ARGUMENT,

  run: async ({ force = false, json = false }, terminal, name) =>
    await withServices(terminal, async (services, context) => {
      const removed = await services.remove(name, { force }, context)
      if (json) terminal.printJson(toChangedServiceJson(removed))
      else {
        terminal.print(`The service ${removed.service.name} was removed.${lossText(removed.keys)}`)
        terminal.print(receiptText(removed))
      }
      return DONE
    })
})
