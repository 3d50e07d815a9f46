import { toServiceJson } from '../http/representations/services.ts'
import { command, DONE, jsonOption } from './command.ts'
import { readServices, SERVICE_ARGUMENT, serviceRows } from './services.ts'

export default command({
  description: 'Shows a service and its scopes.',

  options: jsonOption('print one JSON object'),
  argument: SERVICE_ARGUMENT,

  run: async ({ json = false }, terminal, name) => {
    const service = await readServices(terminal, async services => await services.find(name))
    if (json) terminal.printJson(toServiceJson(service))
    else terminal.printTable(serviceRows(service))
    return DONE
  }
})
