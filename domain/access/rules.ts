/** The permissions for an app, each with its bit. */
export const PERMITS = { read: 1, update: 2, destroy: 4, transfer: 8, grant: 16, revoke: 32 } as const

export type Permit = keyof typeof PERMITS

/** An action on an app. `administer`, which can't be granted, means viewing the app's permissions and audit trail. */
export type AppAction = Permit | 'administer'

export const ROLES = ['admin', 'member', 'guest'] as const

/** A user's role in an organization. */
export type OrganizationRole = (typeof ROLES)[number]

/** A user's relationship to an app. */
export interface AppRelationship {
  readonly isOwner: boolean
  /** The user's role in the organization that owns the app, or null if they have none. */
  readonly role: OrganizationRole | null
  /** The sum of the bits of the permissions that the user was granted. */
  readonly grants: number
  /** Whether every signed-in user may read the app. */
  readonly isPublic: boolean
  /** Whether the app was discarded. */
  readonly isDiscarded: boolean
}

/**
 * Returns whether a user may perform an action on an app. The owner and the admins of the owning organization may
 * perform every action. Members of that organization may read the app; guests may not. Grants add permissions, and any
 * grant includes reading. Only the users who may perform every action have access to a discarded app. Not used for
 * client keys, which override these rules.
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

/** Returns the permissions whose bits the given sum contains. */
export const permitsIn = (grants: number): Permit[] =>
  (Object.keys(PERMITS) as Permit[]).filter(permit => (grants & PERMITS[permit]) !== 0)

/** Returns whether a user may see an organization. Members with any role may. */
export const maySeeOrganization = (role: OrganizationRole | null): boolean => role !== null

/** Returns whether a user may change an organization and its members. */
export const mayAdministerOrganization = (role: OrganizationRole | null): boolean => role === 'admin'

/** Returns whether a user may create apps for an organization, or transfer apps to it. */
export const mayOwnThrough = (role: OrganizationRole | null, action: 'create' | 'receive'): boolean =>
  role === 'admin' || (action === 'receive' && role === 'member')
