import type { Asker } from '../access/principal.ts'
import type { OrganizationRole } from '../access/rules.ts'
import type { Owner } from '../apps/app.ts'
import type { Member, Organization } from './organization.ts'

/**
 * Where organizations are kept, and who belongs to them. Each verb is held to what its asker may do: an organization
 * that the asker may not see is answered by null, as one that is not there; one that may not be changed throws
 * `Forbidden`. Changes write their audit entry in the same transaction.
 */
export interface OrganizationStore {
  /** Those that the asker may see, ordered by id: `limit` of them after the id `after`. */
  page: (limit: number, after: number, asker: Asker) => Promise<{ organizations: Organization[]; more: boolean }>
  find: (id: number, asker: Asker) => Promise<{ organization: Organization; members: Member[] } | null>
  /** A user who makes one becomes its admin. */
  insert: (organization: Omit<Organization, 'id'>, at: Date, asker: Asker) => Promise<Organization>
  update: (
    id: number,
    change: Partial<Omit<Organization, 'id'>>,
    at: Date,
    asker: Asker
  ) => Promise<Organization | null>
  /** Throws `OwnsApps`, `OwnerNotFound`. Answers whether there was one. */
  remove: (id: number, transferTo: Owner | null, at: Date, asker: Asker) => Promise<boolean>
  /**
   * Lets a user in, or changes their role. A user who lets another in must know their e-mail address: `UserNotFound`
   * where it is another, so that nobody learns addresses by trying ids. Throws `LastAdmin`.
   */
  setRole: (
    id: number,
    userId: number,
    role: OrganizationRole,
    email: string | null,
    at: Date,
    asker: Asker
  ) => Promise<Member | null>
  /** Everybody may leave. Throws `UserNotFound` for who does not belong to it, `LastAdmin`. */
  removeMember: (id: number, userId: number, at: Date, asker: Asker) => Promise<true | null>
  /** Throws `Forbidden`, `OrganizationNotFound`, where the asker may not administer it. */
  mustAdminister: (id: number, asker: Asker) => Promise<void>
}
