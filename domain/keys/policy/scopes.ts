/**
 * The scopes of this API, each of which allows one kind of action on one kind of resource. Users with the role `admin`
 * can assign only some of them to keys, because they have no permissions for other users' apps and organizations.
 * Services that use the client key library define their own scopes.
 */
const TABLE = [
  { scope: 'apps:read', isForAdministrators: false },
  { scope: 'apps:write', isForAdministrators: false },
  { scope: 'audits:read', isForAdministrators: false },
  { scope: 'client_keys:read', isForAdministrators: true },
  { scope: 'client_keys:write', isForAdministrators: true },
  { scope: 'organizations:read', isForAdministrators: false },
  { scope: 'organizations:write', isForAdministrators: false },
  { scope: 'services:read', isForAdministrators: false },
  { scope: 'services:write', isForAdministrators: false },
  { scope: 'tokens:introspect', isForAdministrators: false },
  { scope: 'users:read', isForAdministrators: true },
  { scope: 'users:write', isForAdministrators: true }
] as const

type ScopesOf<Table extends readonly { readonly scope: string }[]> = {
  readonly [Index in keyof Table]: Table[Index]['scope']
}

export const SCOPES = TABLE.map<Scope>(({ scope }) => scope) as readonly Scope[] as ScopesOf<typeof TABLE>

export type Scope = (typeof TABLE)[number]['scope']

/** The scopes that users with the role `admin` can assign to keys. */
export const ADMINISTRATOR_SCOPES: readonly Scope[] = TABLE.filter(
  ({ isForAdministrators }) => isForAdministrators
).map(({ scope }) => scope)

/**
 * The scope of an unscoped key. It covers all other scopes of this API, including those of future resources, but no
 * scopes of services.
 */
export const UNSCOPED = '*'

/** The scopes that can be assigned to keys, except those of services. */
export const ASSIGNABLE_SCOPES = [UNSCOPED, ...SCOPES] as const

export type AssignableScope = (typeof ASSIGNABLE_SCOPES)[number]

/** Returns whether a key with these scopes has the permissions of `scope`, which isn't a scope of a service. */
export const covers = (scopes: readonly string[], scope: string): boolean =>
  scopes.includes(UNSCOPED) || scopes.includes(scope)

/** The scope of keys that may introspect the tokens of all services. */
export const INTROSPECTION: Scope = 'tokens:introspect'

const INTROSPECTION_OF = `${INTROSPECTION}:`

/** Returns the scope of keys that may introspect tokens for one service. It exists as long as the service does. */
export const introspectionOf = (service: string): string => `${INTROSPECTION_OF}${service}`

/** Returns whether a key with these scopes may introspect tokens for the given service. */
export const mayIntrospect = (scopes: readonly string[], service: string): boolean =>
  covers(scopes, INTROSPECTION) || scopes.includes(introspectionOf(service))

/** Returns the service whose tokens a scope allows to introspect, or null if it's another scope. */
export const introspectedService = (scope: string): string | null =>
  scope.startsWith(INTROSPECTION_OF) ? scope.slice(INTROSPECTION_OF.length) : null

/** Returns the scope that covers all scopes of a service, including those that are added later. */
export const scopesOfService = (service: string): string => `${service}:*`

/** Returns whether a scope belongs to this API, and exists regardless of which services exist. */
export const isOwnScope = (scope: string): boolean => (ASSIGNABLE_SCOPES as readonly string[]).includes(scope)

/** Returns the name of the service that a scope belongs to, or null if the scope belongs to this API. */
export const serviceOf = (scope: string): string | null =>
  isOwnScope(scope) || introspectedService(scope) !== null ? null : scope.slice(0, Math.max(0, scope.indexOf(':')))

/**
 * Returns whether a key with these scopes has the permissions of `scope`, which is a scope of a service. `*` includes
 * no scopes of services.
 */
export const coversServiceScope = (scopes: readonly string[], scope: string): boolean =>
  scopes.includes(scope) || scopes.includes(scopesOfService(serviceOf(scope) ?? ''))

/**
 * Returns whether a key with these scopes may give a scope to other keys. Unscoped keys may give the scopes of all
 * services, although they don't have them.
 */
export const mayGive = (scopes: readonly string[], scope: string): boolean => {
  if (scopes.includes(UNSCOPED)) return true
  const introspected = introspectedService(scope)
  if (introspected !== null) return mayIntrospect(scopes, introspected)
  return isOwnScope(scope) ? covers(scopes, scope) : coversServiceScope(scopes, scope)
}

/** Returns the scopes of which a key must have at least one in order to have the permissions of `scope`. */
export const scopesCovering = (scope: string): string[] => {
  const service = serviceOf(scope)
  if (service !== null) return [...new Set([scope, scopesOfService(service)])]
  return [...new Set([scope, ...(introspectedService(scope) === null ? [] : [INTROSPECTION]), UNSCOPED])]
}

/** The format of the scopes that keys can have, whether or not they exist. */
export const KEY_SCOPE = '^(\\*|[a-z][a-z0-9_-]*(:[a-z0-9_.-]+)+|[a-z][a-z0-9-]*:\\*)$'

/** The rule for the scopes of keys, worded as the end of a sentence. */
export const SCOPE_RULE =
  'must be *, a scope of this API, or a scope of a service; GET /services lists the services and their scopes'

/** Returns the scopes of a key without duplicates, and without those that others of them include. */
export const withoutCovered = (scopes: readonly string[]): string[] => {
  const own = scopes.includes(UNSCOPED) ? [UNSCOPED] : SCOPES.filter(scope => scopes.includes(scope))
  const others = [...new Set(scopes)].filter(scope => !isOwnScope(scope))
  return [...own, ...others.filter(scope => !isIncluded(scope, own, others))]
}

const isIncluded = (scope: string, own: readonly string[], others: readonly string[]): boolean => {
  const service = serviceOf(scope)
  if (service === null) return covers(own, INTROSPECTION)
  return scope !== scopesOfService(service) && others.includes(scopesOfService(service))
}
