import type { OrganizationRole } from '../access/rules.ts'
import type { Member, Organization } from './organization.ts'

export interface Membership {
  readonly organizationId: number
  readonly role: OrganizationRole
}

export interface OrganizationReads {
  readonly find: (id: number) => Promise<Organization | null>
  /** Ordered by id, at most `limit`, after the id `after`; with `userId`, those that the user belongs to. */
  readonly page: (page: {
    readonly limit: number
    readonly after: number
    readonly userId: number | null
  }) => Promise<Organization[]>
  /** The role of a user in an organization; null: none. */
  readonly roleOf: (id: number, userId: number) => Promise<OrganizationRole | null>
  /** Ordered by user. */
  readonly members: (id: number) => Promise<Member[]>
  readonly countMembers: (id: number) => Promise<number>
  readonly countAdmins: (id: number) => Promise<number>
  /** What a user belongs to, ordered by organization, at most `limit`. */
  readonly memberships: (userId: number, page: { readonly limit: number }) => Promise<Membership[]>
  readonly countMemberships: (userId: number) => Promise<number>
  /** Whether there is an organization of which the user is the only admin. */
  readonly isOnlyAdmin: (userId: number) => Promise<boolean>
  readonly isEmpty: () => Promise<boolean>
}

/** Verbs without rules: which of them may be called, and for whom, is for the organization service to tell. */
export interface OrganizationRows extends OrganizationReads {
  readonly insert: (organization: Omit<Organization, 'id'>, at: Date) => Promise<Organization>
  readonly update: (id: number, change: Partial<Omit<Organization, 'id'>>, at: Date) => Promise<void>
  /** Removes an organization with its memberships. */
  readonly remove: (id: number) => Promise<void>
  readonly setRole: (id: number, userId: number, role: OrganizationRole) => Promise<void>
  readonly removeMember: (id: number, userId: number) => Promise<void>
}
