/** The permissions for an app. Each value is the permission's bit in a bit mask. */
export const PERMITS = { read: 1, update: 2, destroy: 4, transfer: 8, grant: 16, revoke: 32 } as const

export type Permit = keyof typeof PERMITS

/** An action on an app. `administer` means viewing the app's permissions and audit trail; it can't be granted. */
export type AppAction = Permit | 'administer'

export const ROLES = ['admin', 'member', 'guest'] as const

/** A user's role in an organization. */
export type OrganizationRole = (typeof ROLES)[number]

/** A user's relationship to an app. */
export interface AppRelationship {
  readonly isOwner: boolean
  /** The user's role in the organization that owns the app, or null if they have none. */
  readonly role: OrganizationRole | null
  /** A bit mask of the permissions that the user has been granted. */
  readonly grants: number
  /** Whether every signed-in user may read the app. */
  readonly isPublic: boolean
  /** Whether the app has been discarded. */
  readonly isDiscarded: boolean
}

/**
 * Returns whether a user may perform an action on an app. The owner, and the admins of the owning organization, may
 * perform any action. The organization's members may read the app; its guests may not. Grants add permissions, and any
 * grant includes `read`. Only users who may perform any action have access to a discarded app. Client keys bypass these
 * rules.
 *
 * For each engine, `apps/visibility.ts` implements the rule for `read` in SQL. `test/domain/access/rules.test.ts`
 * checks that the SQL and this function agree.
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

/** Returns the permissions whose bits are set in `grants`. */
export const permitsIn = (grants: number): Permit[] =>
  (Object.keys(PERMITS) as Permit[]).filter(permit => (grants & PERMITS[permit]) !== 0)

/** Returns whether a user may see an organization. Users with any role in it may. */
export const maySeeOrganization = (role: OrganizationRole | null): boolean => role !== null

/** Returns whether a user may change an organization and its members. */
export const mayAdministerOrganization = (role: OrganizationRole | null): boolean => role === 'admin'

/** Returns whether a user may create apps for an organization, or transfer apps to it. */
export const mayOwnThrough = (role: OrganizationRole | null, action: 'create' | 'receive'): boolean =>
  role === 'admin' || (action === 'receive' && role === 'member')
