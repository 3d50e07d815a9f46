import { InvalidFields } from '../errors.ts'
import { issuesOf } from '../field-issue.ts'
import type { FieldIssue } from '../field-issue.ts'
import { serviceOf } from '../keys/policy/scopes.ts'
import { credentialIssues } from '../keys/token/shape.ts'
import { isReservedName } from './reserved.ts'
import type { ServiceChange, ServiceScope, WantedService } from './service.ts'

/** The maximum length of a scope, including the name of its service. */
export const MAX_SCOPE = 100
/** The maximum number of scopes of a service. */
export const MAX_SCOPES = 100
/** The maximum number of services. */
export const MAX_SERVICES = 1000

const NAME = /^[a-z][a-z0-9-]{1,40}$/
/** The part of a scope after the name of its service. */
const REST = /^(:[a-z0-9_.-]+)+$/

/** Returns whether a text has the format of a service's name. The name may be reserved. */
export const isServiceName = (name: string): boolean => NAME.test(name)

/** Returns whether a scope exists, or would exist if a service defined it. */
export const isPossibleScope = (scope: string): boolean => {
  const service = serviceOf(scope)
  return service === null || (isServiceName(service) && !isReservedName(service))
}

/** Throws InvalidFields if the name, the scopes or the texts of a new service aren't allowed. */
export const refuseBadService = ({ name, ...change }: WantedService): void => {
  refuse([...nameIssues(name), ...changeIssues(name, change)])
}

/** Throws InvalidFields if the new scopes or texts of the service with the given name aren't allowed. */
export const refuseBadChange = (name: string, change: ServiceChange): void => {
  refuse(changeIssues(name, change))
}

const refuse = (issues: readonly FieldIssue[]): void => {
  if (issues.length > 0) throw new InvalidFields({ issues })
}

const nameIssues = (name: string): FieldIssue[] => {
  if (isReservedName(name)) return issuesOf('name', ['name is reserved for this API; choose another name'])
  const rule = 'name must be 2 to 41 lowercase letters, digits and hyphens, and begin with a letter'
  return isServiceName(name) ? [] : issuesOf('name', [rule])
}

const changeIssues = (service: string, { description, audience, scopes = [] }: ServiceChange): FieldIssue[] => [
  ...credentialIssues({ description, audience }),
  ...scopes.flatMap((scope, index) => scopeIssues(service, scope, ['scopes', String(index)])),
  ...duplicates(scopes)
]

const scopeIssues = (service: string, { name, description }: ServiceScope, path: readonly string[]): FieldIssue[] => {
  const field = path.join('.')
  const isGood = name.startsWith(service) && REST.test(name.slice(service.length))
  const rule = 'must be the name of the service, a colon, and lowercase letters, digits, _ . - and further colons'
  const credentials = credentialIssues({ [`${field}.name`]: name, [`${field}.description`]: description })
  return [
    ...(isGood ? [] : [{ path: [...path, 'name'], detail: `${field}.name ${rule}` }]),
    ...credentials.map(({ detail }) => ({ path, detail }))
  ]
}

const duplicates = (scopes: readonly ServiceScope[]): FieldIssue[] => {
  const names = scopes.map(({ name }) => name)
  return names.flatMap((name, index) =>
    names.indexOf(name) === index
      ? []
      : [{ path: ['scopes', String(index), 'name'], detail: `scopes.${index}.name must differ from the other scopes` }]
  )
}
