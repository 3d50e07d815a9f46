import { covers, INTROSPECTION, introspectedService, scopesOfService } from '../keys/policy/scopes.ts'
import type { ScopeRule } from '../keys/verdict/scope-rule.ts'
import type { Services } from '../services/catalog.ts'

/** The names of the services for which a requester may introspect tokens, or null for all services. */
export type View = readonly string[] | null

const introspectionScopes = (scopes: readonly string[]): string[] =>
  covers(scopes, INTROSPECTION) ? [INTROSPECTION] : scopes.filter(scope => introspectedService(scope) !== null)

/** The rule for keys that introspect tokens: they need `tokens:introspect`, or that scope for one or more services. */
export const INTROSPECTORS: ScopeRule = {
  isMetBy: scopes => introspectionScopes(scopes).length > 0,
  used: introspectionScopes
}

/** Returns the view of a requester that has the given scopes, which meet the rule `INTROSPECTORS`. */
export const viewOf = (scopes: readonly string[]): View =>
  covers(scopes, INTROSPECTION) ? null : scopes.flatMap(scope => introspectedService(scope) ?? [])

/** Returns the services of a view that exist. */
export const servicesIn = (view: View, services: Services): Services =>
  view === null
    ? services
    : new Map(
        view.flatMap(name => {
          const service = services.get(name)
          return service === undefined ? [] : [[name, service]]
        })
      )

/**
 * Returns the rule for tokens of which no particular scope is required. With a limited view, their keys must have a
 * scope of at least one of its services. Their use is then recorded as `<service>:*`.
 */
export const visibleIn = (view: View): ScopeRule => {
  const usedServices = (scopes: readonly string[]): string[] =>
    (view ?? []).filter(name => scopes.some(scope => scope.startsWith(`${name}:`)))
  return {
    isMetBy: scopes => view === null || usedServices(scopes).length > 0,
    used: scopes => usedServices(scopes).map(scopesOfService)
  }
}
