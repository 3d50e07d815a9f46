/** What may be done to an app, and the bit that grants it. */
export const PERMITS = { read: 1, update: 2, destroy: 4, transfer: 8, grant: 16, revoke: 32 } as const

export type Permit = keyof typeof PERMITS

/** `administer` is what nobody can be granted: to see who may do what, and what was done. */
export type AppAction = Permit | 'administer'

export const ROLES = ['admin', 'member', 'guest'] as const

/** What a user is in an organization. */
export type OrganizationRole = (typeof ROLES)[number]

/** What a user is to an app. */
export interface AppRelationship {
  readonly isOwner: boolean
  /** The role in the organization that owns the app; null: none. */
  readonly role: OrganizationRole | null
  /** The sum of the permits that the user was granted. */
  readonly grants: number
  /** Whether every signed-in user may read it. */
  readonly isPublic: boolean
  /** Whether it was deleted. */
  readonly isDiscarded: boolean
}

/**
 * Whether a user may do something to an app. The owner and the admins of the organization that owns it may do
 * everything, its members may read it, its guests nothing; grants add to that, and whoever was granted anything may
 * read. What was deleted is only for those who may do everything. Client keys are not asked: they override all of this.
 *
 * `apps/visibility.ts` of each engine says in SQL which apps a user may read; they are held equal to this by
 * `test/domain/access/rules.test.ts`.
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

/** The permits that a sum of them holds. */
export const permitsIn = (grants: number): Permit[] =>
  (Object.keys(PERMITS) as Permit[]).filter(permit => (grants & PERMITS[permit]) !== 0)

/** Whether a user may see an organization: its members of every role may. */
export const maySeeOrganization = (role: OrganizationRole | null): boolean => role !== null

/** Whether a user may change an organization, and who belongs to it. */
export const mayAdministerOrganization = (role: OrganizationRole | null): boolean => role === 'admin'

/** Whether a user may have apps made for, or transferred to, an organization. */
export const mayOwnThrough = (role: OrganizationRole | null, action: 'create' | 'receive'): boolean =>
  role === 'admin' || (action === 'receive' && role === 'member')
