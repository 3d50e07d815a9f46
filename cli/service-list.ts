import type { ServiceRegistry } from '../domain/services/registry.ts'
import type { Service } from '../domain/services/service.ts'
import { toServiceJson } from '../http/representations/services.ts'
import { command, DONE, jsonOption } from './command.ts'
import { formatTimestamp } from './key-rows.ts'
import { readServices } from './services.ts'

const PAGE = 100

const listed = async (services: ServiceRegistry): Promise<Service[]> => {
  const found: Service[] = []
  for (let more = true; more;) {
    const page = await services.page({ limit: PAGE, after: found.at(-1)?.name })
    found.push(...page.services)
    more = page.more
  }
  return found
}

export default command({
  description: 'Lists the services whose requests are authorized with client keys, ordered by name.',

  options: jsonOption('print a JSON array'),

  run: async ({ json = false }, terminal) => {
    const found = await readServices(terminal, listed)
    if (json) terminal.printJson(found.map(toServiceJson))
    else if (found.length > 0) terminal.printTable(rowsOf(found))
    else terminal.print(`There are no services. Add one: ${terminal.invocation('service add', '<name>')}`)
    return DONE
  }
})

const rowsOf = (services: readonly Service[]): string[][] => [
  ['NAME', 'SCOPES', 'AUDIENCE', 'CREATED', 'DESCRIPTION'],
  ...services.map(({ name, scopes, audience, createdAt, description }) => [
    name,
    String(scopes.length),
    audience ?? '-',
    formatTimestamp(createdAt),
    description ?? '-'
  ])
]
