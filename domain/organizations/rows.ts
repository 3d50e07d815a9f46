import type { OrganizationRole } from '../access/rules.ts'
import type { Member, Organization } from './organization.ts'

export interface Membership {
  readonly organizationId: number
  readonly role: OrganizationRole
}

export interface OrganizationReads {
  readonly find: (id: number) => Promise<Organization | null>
  /**
   * Returns at most `limit` organizations with ids greater than `after`, ordered by id. If `userId` isn't null,
   * includes only organizations that this user belongs to.
   */
  readonly page: (page: {
    readonly limit: number
    readonly after: number
    readonly userId: number | null
  }) => Promise<Organization[]>
  /** Returns a user's role in an organization, or null if the user isn't a member. */
  readonly roleOf: (id: number, userId: number) => Promise<OrganizationRole | null>
  /** Returns the members of an organization, ordered by user id. */
  readonly members: (id: number) => Promise<Member[]>
  readonly countMembers: (id: number) => Promise<number>
  readonly countAdmins: (id: number) => Promise<number>
  /** Returns at most `limit` of a user's memberships, ordered by organization id. */
  readonly memberships: (userId: number, page: { readonly limit: number }) => Promise<Membership[]>
  readonly countMemberships: (userId: number) => Promise<number>
  /** Returns whether the user is the only admin of any organization. */
  readonly isOnlyAdmin: (userId: number) => Promise<boolean>
  readonly isEmpty: () => Promise<boolean>
}

/** Stores organizations. The functions don't enforce any rules; the organization service does. */
export interface OrganizationRows extends OrganizationReads {
  readonly insert: (organization: Omit<Organization, 'id'>, at: Date) => Promise<Organization>
  readonly update: (id: number, change: Partial<Omit<Organization, 'id'>>, at: Date) => Promise<void>
  /** Deletes an organization and its memberships. */
  readonly remove: (id: number) => Promise<void>
  readonly setRole: (id: number, userId: number, role: OrganizationRole) => Promise<void>
  readonly removeMember: (id: number, userId: number) => Promise<void>
}
