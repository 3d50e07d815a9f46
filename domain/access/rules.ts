/** The permissions for an app, and the bit of each. */
export const PERMITS = { read: 1, update: 2, destroy: 4, transfer: 8, grant: 16, revoke: 32 } as const

export type Permit = keyof typeof PERMITS

/** An action on an app. `administer` means to see its permissions and audit trail, and can't be granted. */
export type AppAction = Permit | 'administer'

export const ROLES = ['admin', 'member', 'guest'] as const

/** The role of a user in an organization. */
export type OrganizationRole = (typeof ROLES)[number]

/** The relationship of a user to an app. */
export interface AppRelationship {
  readonly isOwner: boolean
  /** The user's role in the organization that owns the app, or null if they have none. */
  readonly role: OrganizationRole | null
  /** The sum of the permissions that the user was granted. */
  readonly grants: number
  /** Whether every signed-in user may read the app. */
  readonly isPublic: boolean
  /** Whether the app was discarded. */
  readonly isDiscarded: boolean
}

/**
 * Returns whether a user may do something to an app. The owner and the admins of the owning organization may do
 * everything. Members of that organization may read the app; guests may do nothing. Grants add permissions, and any
 * grant includes reading. Only those who may do everything have access to a discarded app. Not used for client keys,
 * which override these rules.
 *
 * `apps/visibility.ts` of each engine implements the rule for reading in SQL. `test/domain/access/rules.test.ts` checks
 * that both agree.
 */
export const mayDo = (
  { isOwner, role, grants, isPublic, isDiscarded }: AppRelationship,
  action: AppAction
): boolean => {
  if (isOwner || role === 'admin') return true
  if (action === 'administer' || isDiscarded) return false
  if (action === 'read') return role === 'member' || isPublic || grants !== 0
  return (grants & PERMITS[action]) !== 0
}

/** Returns the permissions in a sum of them. */
export const permitsIn = (grants: number): Permit[] =>
  (Object.keys(PERMITS) as Permit[]).filter(permit => (grants & PERMITS[permit]) !== 0)

/** Returns whether a user may see an organization. Members of every role may. */
export const maySeeOrganization = (role: OrganizationRole | null): boolean => role !== null

/** Returns whether a user may change an organization and its members. */
export const mayAdministerOrganization = (role: OrganizationRole | null): boolean => role === 'admin'

/** Returns whether a user may create apps for an organization, or transfer apps to it. */
export const mayOwnThrough = (role: OrganizationRole | null, action: 'create' | 'receive'): boolean =>
  role === 'admin' || (action === 'receive' && role === 'member')
