/** Every scope there is: a resource, and whether it is read or written. */
export const SCOPES = [
  'apps:read',
  'apps:write',
  'audits:read',
  'client_keys:read',
  'client_keys:write',
  'organizations:read',
  'organizations:write',
  'users:read',
  'users:write'
] as const

export type Scope = (typeof SCOPES)[number]

/** The scope of an unscoped key, which stands for every other, those of resources to come included. */
export const UNSCOPED = '*'

/** What a key may be given. */
export const GRANTS = [UNSCOPED, ...SCOPES] as const

export type Grant = (typeof GRANTS)[number]

/** Whether a key with these scopes may do what asks for `scope`. */
export const covers = (scopes: readonly Grant[], scope: Grant): boolean =>
  scopes.includes(UNSCOPED) || scopes.includes(scope)
