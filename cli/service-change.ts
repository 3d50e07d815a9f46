import { ChangeServiceBody, toChangedServiceJson, toServiceChange } from '../http/representations/services.ts'
import { checked } from '../http/validation.ts'
import { command, DONE, jsonOption } from './command.ts'
import { UsageError } from './failures.ts'
import { receiptText } from './keys.ts'
import {
  forceOption,
  lossText,
  SERVICE_ARGUMENT,
  serviceOptions,
  serviceRows,
  toAudience,
  toScopes,
  withServices
} from './services.ts'

export default command({
  description: `Changes a service. Anything you don't specify stays unchanged. The values of --scope replace all scopes
of the service; scopes without a description keep their present one. With --force, client keys that have a removed scope
lose it.`,

  options: { ...serviceOptions, ...forceOption, ...jsonOption('print the changed service as one JSON object') },
  argument: SERVICE_ARGUMENT,

  run: async ({ description, audience, scope, force = false, json = false }, terminal, name) => {
    if (description === undefined && audience === undefined && scope === undefined) {
      throw new UsageError('Specify what to change.')
    }
    return await withServices(terminal, async (services, context) => {
      const { scopes } = await services.find(name)
      const body = checked(ChangeServiceBody, {
        ...(description === undefined ? {} : { description }),
        ...(audience === undefined ? {} : { audience: toAudience(audience) }),
        ...(scope === undefined ? {} : { scopes: toScopes(scope, scopes) })
      })
      const changed = await services.change(name, { ...toServiceChange(body), force }, context)
      if (json) {
        terminal.printJson(toChangedServiceJson(changed))
        return DONE
      }
      terminal.print(`The service was changed.${lossText(changed.keys)}\n`)
      terminal.printTable(serviceRows(changed.service))
      terminal.print(`\n${receiptText(changed)}`)
      return DONE
    })
  }
})
