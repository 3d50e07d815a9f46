import { InvalidFields } from '../../errors.ts'

/**
 * Every scope of this service: a resource, and whether it is read or written. Other services have others. Users with
 * the role `admin` give some of them to keys: they have no power over the apps and organizations of others.
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

/** The scopes that a user with the role `admin` may give to a key. */
export const ADMINISTRATOR_SCOPES: readonly Scope[] = TABLE.filter(
  ({ isForAdministrators }) => isForAdministrators
).map(({ scope }) => scope)

/** The scope of an unscoped key, which stands for every other, those of resources to come included. */
export const UNSCOPED = '*'

/** What a key of this service may be given. */
export const GRANTS = [UNSCOPED, ...SCOPES] as const

export type Grant = (typeof GRANTS)[number]

/** Whether a key with these scopes may do what asks for `scope`. */
export const covers = (scopes: readonly string[], scope: string): boolean =>
  scopes.includes(UNSCOPED) || scopes.includes(scope)

/** A scope-token of RFC 6749, which is repeated in `WWW-Authenticate`. */
const SCOPE = /^[\x21\x23-\x5b\x5d-\x7e]{1,100}$/

/** What stands for something else than a scope, in a key or in a route. */
const RESERVED: readonly string[] = [UNSCOPED, 'none']

/** Throws InvalidFields where one of the scopes of a key is none that there is. */
export type CheckScopes = (scopes: readonly string[]) => void

/** Makes the check of scopes. Throws a TypeError where one of the known ones can not be a scope. */
export const createScopeCheck = (known: readonly string[]): CheckScopes => {
  for (const scope of known) {
    if (RESERVED.includes(scope) || !SCOPE.test(scope)) {
      throw new TypeError(
        'a scope must be 1 to 100 visible characters of ASCII without quotes and backslashes, and neither * nor none'
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
