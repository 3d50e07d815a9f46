import type { RequestContext } from '../domain/access/principal.ts'
import { InvalidFields, ServiceInUse } from '../domain/errors.ts'
import { createServiceRegistry } from '../domain/services/registry.ts'
import type { ServiceRegistry } from '../domain/services/registry.ts'
import type { Service, ServiceScope } from '../domain/services/service.ts'
import { CommandError, messageOf, UsageError } from './failures.ts'
import { formatTimestamp } from './key-rows.ts'
import { operatorContext } from './operator.ts'
import type { OptionSpecs } from './options.ts'
import { withStorage } from './storage.ts'
import type { Terminal } from './terminal.ts'

/** The argument of the commands for one service. */
export const SERVICE_ARGUMENT = { name: 'service', help: 'the name of the service' } as const

/** The option that confirms that keys lose scopes. */
export const forceOption = { force: { help: 'take the removed scopes from the client keys that have them' } } as const

/** The options for the fields of a service. */
export const serviceOptions = {
  description: { value: '<text>', help: 'the purpose of the service' },
  audience: {
    value: '<uri>',
    help: 'what identifies the service in tokens, usually its URI; none for nothing'
  },
  scope: {
    value: '<scope>',
    multiple: true,
    help: `a scope of the service, such as orders:read, optionally with a description, as in
"orders:read=Read orders"; may be repeated`
  }
} as const satisfies OptionSpecs

/** Opens the services in the configured database, runs `work`, and closes the database. */
export const withServices = async <T>(
  terminal: Terminal,
  work: (services: ServiceRegistry, context: RequestContext) => Promise<T>
): Promise<T> => {
  try {
    return await withStorage(
      terminal,
      async ({ keys: store }) => await work(createServiceRegistry({ store }), operatorContext())
    )
  } catch (failure) {
    throw asCommandError(failure)
  }
}

/** Does the same as withServices for work that only reads. */
export const readServices = async <T>(
  terminal: Terminal,
  work: (services: ServiceRegistry) => Promise<T>
): Promise<T> =>
  await withStorage(terminal, async ({ keys: store }) => await work(createServiceRegistry({ store })), {
    readOnly: true
  })

// The name of a service is an argument here, not an option.
const asCommandError = (failure: unknown): unknown => {
  if (failure instanceof ServiceInUse) {
    const [keys] = failure.message.split('. ')
    return new CommandError(`${keys}. Nothing was changed.`, 'To take these scopes from them, add --force.')
  }
  return failure instanceof InvalidFields
    ? new UsageError(messageOf(failure).replaceAll(/^--name /gm, 'The name '))
    : failure
}

/** Returns the scopes that the values of `--scope` specify. A scope without a description keeps its present one. */
export const toScopes = (values: readonly string[], present: readonly ServiceScope[] = []): ServiceScope[] =>
  values.map(value => {
    const [, name = value, description] = /^([^=]*)=(.*)$/s.exec(value) ?? []
    const known = present.find(scope => scope.name === name)
    return { name, description: description ?? known?.description ?? null }
  })

/** Returns the value of `--audience`. */
export const toAudience = (text: string): string | null => (text === 'none' ? null : text)

/** Returns the table rows that show the given service. */
export const serviceRows = (service: Service): string[][] => [
  ['name', service.name],
  ['description', service.description ?? '-'],
  ['audience', service.audience ?? '-'],
  ['created', formatTimestamp(service.createdAt)],
  ['updated', formatTimestamp(service.updatedAt)],
  ...service.scopes.map(({ name, description }, index) => [
    index === 0 ? 'scopes' : '',
    description === null ? name : `${name}  ${description}`
  ])
]

/** Returns a sentence about the keys that lost scopes, or an empty string if there are none. */
export const lossText = (keys: number): string => {
  if (keys === 0) return ''
  return keys === 1 ? ' One client key lost scopes.' : ` ${keys} client keys lost scopes.`
}
