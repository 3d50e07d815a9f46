import { InvalidFields } from '../errors.ts'
import { issuesOf } from '../field-issue.ts'
import type { FieldIssue } from '../field-issue.ts'
import { PRINTABLE } from '../json/printable.ts'
import { credentialIssues } from '../keys/token/shape.ts'
import { isReservedName } from './reserved.ts'
import type { ServiceChange, ServiceScope, WantedService } from './service.ts'

export const SERVICE_NAME = '^[a-z][a-z0-9-]{1,40}$'
/** The maximum length of the descriptions of services and scopes. */
export const MAX_DESCRIPTION = 1000
export const MAX_AUDIENCE = 255
/** The maximum length of a scope, including the name of its service. */
export const MAX_SCOPE = 100
/** The maximum number of scopes of a service. */
export const MAX_SCOPES = 100
/** The maximum number of services. */
export const MAX_SERVICES = 1000

const NAME = new RegExp(SERVICE_NAME)
const TEXT = new RegExp(PRINTABLE, 'u')
/** The part of a scope after the name of its service. */
const REST = /^(:[a-z0-9_.-]+)+$/

/** Returns whether a text has the format of a service's name. The name may be reserved. */
export const isServiceName = (name: string): boolean => NAME.test(name)

/** Throws InvalidFields if a new service can't be stored. */
export const refuseBadService = ({ name, ...change }: WantedService): void => {
  const issues = isServiceName(name)
    ? issuesOf('name', isReservedName(name) ? ['name is reserved for this API; choose another name'] : [])
    : issuesOf('name', ['name must be 2 to 41 lowercase letters, digits and hyphens, and begin with a letter'])
  refuse([...issues, ...changeIssues(name, change)])
}

/** Throws InvalidFields if a change of the service with the given name can't be stored. */
export const refuseBadChange = (name: string, change: ServiceChange): void => {
  refuse(changeIssues(name, change))
}

const refuse = (issues: readonly FieldIssue[]): void => {
  if (issues.length > 0) throw new InvalidFields({ issues })
}

const changeIssues = (name: string, { description, audience, scopes = [] }: ServiceChange): FieldIssue[] => [
  ...textIssues(['description'], description, MAX_DESCRIPTION),
  ...textIssues(['audience'], audience, MAX_AUDIENCE),
  ...credentialIssues({ description, audience }),
  ...issuesOf('scopes', scopes.length > MAX_SCOPES ? [`scopes must have at most ${MAX_SCOPES} entries`] : []),
  ...scopes.flatMap((scope, index) => scopeIssues(name, scope, index)),
  ...duplicates(scopes)
]

const textIssues = (path: readonly string[], text: string | null | undefined, maxLength: number): FieldIssue[] =>
  text === null || text === undefined || (text.length <= maxLength && TEXT.test(text))
    ? []
    : [{ path, detail: `${path.join('.')} must be 1 to ${maxLength} visible characters, or null` }]

const scopeIssues = (service: string, { name, description }: ServiceScope, index: number): FieldIssue[] => {
  const path = ['scopes', String(index)]
  const field = path.join('.')
  const isGood = name.length <= MAX_SCOPE && name.startsWith(service) && REST.test(name.slice(service.length))
  const rule = `must be the name of the service, a colon, and lowercase letters, digits, _ . - and colons`
  const credentials = credentialIssues({ [`${field}.name`]: name, [`${field}.description`]: description })
  return [
    ...(isGood ? [] : [{ path: [...path, 'name'], detail: `${field}.name ${rule}, at most ${MAX_SCOPE} characters` }]),
    ...textIssues([...path, 'description'], description, MAX_DESCRIPTION),
    ...credentials.map(({ detail }) => ({ path, detail }))
  ]
}

const duplicates = (scopes: readonly ServiceScope[]): FieldIssue[] => {
  const names = new Set<string>()
  return scopes.flatMap(({ name }, index) => {
    const isKnown = names.has(name)
    names.add(name)
    const path = ['scopes', String(index), 'name']
    return isKnown ? [{ path, detail: `${path.join('.')} must differ from the other scopes` }] : []
  })
}
