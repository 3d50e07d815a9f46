import { InvalidFields } from '../../errors.ts'

/**
 * The scopes of this service, each of which allows reading or writing one kind of resource. Users with the role `admin`
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

/** The scope of an unscoped key. It covers all other scopes, including those of future resources. */
export const UNSCOPED = '*'

/** The scopes that can be assigned to keys of this service. */
export const ASSIGNABLE_SCOPES = [UNSCOPED, ...SCOPES] as const

export type AssignableScope = (typeof ASSIGNABLE_SCOPES)[number]

/** Returns whether `scopes` include `scope`, either directly or because of `*`. */
export const covers = (scopes: readonly string[], scope: string): boolean =>
  scopes.includes(UNSCOPED) || scopes.includes(scope)

/** Matches a scope-token (RFC 6749, section 3.3), because scopes are sent in the `WWW-Authenticate` header. */
const SCOPE = /^[\x21\x23-\x5b\x5d-\x7e]{1,100}$/

/** Names that have a special meaning in a key or a route. */
const RESERVED: readonly string[] = [UNSCOPED, 'none']

/** Throws InvalidFields if any of the scopes is unknown. */
export type CheckScopes = (scopes: readonly string[]) => void

/**
 * Creates a function that checks the scopes of keys. Throws a TypeError if one of the known scopes is malformed or
 * reserved.
 */
export const createScopeCheck = (known: readonly string[]): CheckScopes => {
  for (const scope of known) {
    if (RESERVED.includes(scope) || !SCOPE.test(scope)) {
      throw new TypeError(
        'a scope must consist of 1 to 100 visible ASCII characters other than quotes and backslashes, and must not ' +
          'be * or none'
      )
    }
  }
  const allowed = [UNSCOPED, ...known]
  return scopes => {
    const issues = scopes.flatMap((scope, index) =>
      allowed.includes(scope)
        ? []
        : [{ path: ['scopes', String(index)], detail: `scopes.${index} must be ${allowed.join(' or ')}` }]
    )
    if (issues.length > 0) throw new InvalidFields({ issues })
  }
}
