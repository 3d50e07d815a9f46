/** Every scope of this service: a resource, and whether it is read or written. Other services have others. */
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

/** What a key of this service may be given. */
export const GRANTS = [UNSCOPED, ...SCOPES] as const

export type Grant = (typeof GRANTS)[number]

/** Whether a key with these scopes may do what asks for `scope`. */
export const covers = (scopes: readonly string[], scope: string): boolean =>
  scopes.includes(UNSCOPED) || scopes.includes(scope)
