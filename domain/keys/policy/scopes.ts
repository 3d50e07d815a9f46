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
