import { NewServiceBody, toChangedServiceJson, toServiceChange } from '../http/representations/services.ts'
import { checked } from '../http/validation.ts'
import { command, DONE, jsonOption } from './command.ts'
import { receiptText } from './keys.ts'
import { SERVICE_ARGUMENT, serviceOptions, serviceRows, toAudience, toScopes, withServices } from './services.ts'

export default command({
  description: `Adds a service: another program whose requests are authorized with client keys of this service. Its name
can't be changed later. Each of its scopes begins with its name and a colon. No key has these scopes yet, not even an
unscoped key.`,

  options: { ...serviceOptions, ...jsonOption('print the new service as one JSON object') },
  argument: SERVICE_ARGUMENT,

  run: async ({ description, audience, scope = [], json = false }, terminal, name) =>
    await withServices(terminal, async (services, context) => {
      const body = checked(NewServiceBody, {
        name,
        ...(description === undefined ? {} : { description }),
        ...(audience === undefined ? {} : { audience: toAudience(audience) }),
        scopes: toScopes(scope)
      })
      const added = await services.create({ ...toServiceChange(body), name: body.name }, context)
      if (json) {
        terminal.printJson(toChangedServiceJson(added))
        return DONE
      }
      terminal.print('A new service:\n')
      terminal.printTable(serviceRows(added.service))
      terminal.print(`\n${receiptText(added)}`)
      return DONE
    })
})
