import { InvalidFields } from '../../errors.ts'
import type { FieldIssue } from '../../field-issue.ts'
import { isScopeOf } from '../../services/catalog.ts'
import type { ServiceReads } from '../../services/rows.ts'
import type { Service } from '../../services/service.ts'
import { introspectedService, SCOPE_RULE, scopesOfService, serviceOf, UNSCOPED } from './scopes.ts'

/** A scope-token as defined in RFC 6749, because scopes are repeated in `WWW-Authenticate`. */
const SCOPE = /^[\x21\x23-\x5b\x5d-\x7e]{1,100}$/

/** Names with a special meaning in a key or a route. */
const RESERVED: readonly string[] = [UNSCOPED, 'none']

/** The maximum number of scopes that an issue lists. */
const MAX_LISTED = 10

/** Reads the services whose scopes keys can have. */
type FindServices = Pick<ServiceReads, 'named'>

/**
 * Returns one issue for each scope that doesn't exist. `services` is undefined if keys can have only scopes that are
 * known in advance.
 */
export type FindUnknownScopes = (
  scopes: readonly string[],
  services: FindServices | undefined
) => Promise<readonly FieldIssue[]>

/**
 * Creates a function that finds scopes that don't exist. Throws a TypeError if one of the known scopes is not a valid
 * scope.
 */
export const createScopeCheck = (known: readonly string[]): FindUnknownScopes => {
  for (const scope of known) {
    if (RESERVED.includes(scope) || !SCOPE.test(scope)) {
      throw new TypeError(
        'a scope must have 1 to 100 visible ASCII characters without quotes and backslashes, and must not be * or none'
      )
    }
  }
  const allowed = [UNSCOPED, ...known]
  return async (scopes, services) => {
    const others = scopes.filter(scope => !allowed.includes(scope))
    if (others.length === 0) return []
    const found = services === undefined ? [] : await services.named([...new Set(others.map(servicePart))])
    const byName = new Map(found.map(service => [service.name, service]))
    return scopes.flatMap((scope, index) => {
      if (allowed.includes(scope) || exists(scope, byName)) return []
      const rule =
        services === undefined
          ? `must be ${allowed.join(' or ')}`
          : ruleFor(scope, known, byName.get(servicePart(scope)))
      return [{ path: ['scopes', String(index)], detail: `scopes.${index} ${rule}` }]
    })
  }
}

/** Returns the name of the service that must exist for the given scope to exist. */
const servicePart = (scope: string): string => introspectedService(scope) ?? serviceOf(scope) ?? ''

const exists = (scope: string, services: ReadonlyMap<string, Service>): boolean => {
  const service = services.get(servicePart(scope))
  return service !== undefined && (introspectedService(scope) !== null || isScopeOf(service, scope))
}

// The list of all scopes would be long, so an issue lists only those of the same resource or service.
const ruleFor = (scope: string, known: readonly string[], service: Service | undefined): string => {
  const [resource] = scope.split(':')
  const similar =
    service === undefined
      ? known.filter(each => each.startsWith(`${resource}:`))
      : [scopesOfService(service.name), ...service.scopes.map(({ name }) => name)]
  return similar.length === 0 || similar.length > MAX_LISTED ? SCOPE_RULE : `must be ${similar.join(' or ')}`
}

/** Throws InvalidFields if a key would have a scope that doesn't exist. */
export const refuseUnknownScopes = (issues: readonly FieldIssue[]): void => {
  if (issues.length > 0) throw new InvalidFields({ issues })
}
