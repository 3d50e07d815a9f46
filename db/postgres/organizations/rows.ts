import { and, eq } from 'drizzle-orm'
import type { OrganizationReads, OrganizationRows } from '../../../domain/organizations/rows.ts'
import type { Organization } from '../../../domain/organizations/organization.ts'
import { toText } from '../../timestamps.ts'
import { lock, query } from '../database.ts'
import type { PostgresDatabase } from '../database.ts'
import { shareOrganization, underLock } from '../locking.ts'
import { memberships, organizations } from '../schema.ts'
import { columns, createOrganizationReads } from './reads.ts'

// Locks rows in a fixed order, to prevent deadlocks between two users of the same organizations.
const LOCK_ORGANIZATIONS_OF_USER = `
  select 1 from organizations where id in (select organization_id from memberships where user_id = $1)
  order by id for no key update
`

export const createOrganizationRows = (db: PostgresDatabase): OrganizationRows => {
  const reads = createOrganizationReads(db)
  return {
    ...reads,
    ...createLockingReads(db, reads),
    ...createRecordRows(db),
    ...createMemberRows(db)
  }
}

type LockingReads = 'find' | 'roleOf' | 'isOnlyAdmin' | 'isEmpty'

/**
 * Creates reads that lock the rows they find until the transaction ends, because the rules depend on those rows. A
 * transaction that changes an organization's members finds the organization first, so its lock protects the members
 * too.
 */
const createLockingReads = (db: PostgresDatabase, reads: OrganizationReads): Pick<OrganizationRows, LockingReads> => ({
  find: async id => {
    const found = await db.select(columns).from(organizations).where(eq(organizations.id, id)).for('no key update')
    return found[0] ?? null
  },

  roleOf: async (id, userId) => await underLock(shareOrganization(db, id), reads.roleOf(id, userId)),

  isOnlyAdmin: async userId =>
    await underLock(query(db, LOCK_ORGANIZATIONS_OF_USER, [userId]), reads.isOnlyAdmin(userId)),

  isEmpty: async () => await underLock(lock(db, 'organizationIds'), reads.isEmpty())
})

const createRecordRows = (db: PostgresDatabase): Pick<OrganizationRows, 'insert' | 'update' | 'remove'> => ({
  // Only one transaction at a time assigns ids. Otherwise, a page could miss an id that is committed after a higher
  // one.
  insert: async (organization, at) => {
    const values = { ...organization, createdAt: toText(at), updatedAt: toText(at) }
    const inserted = db.insert(organizations).values(values).returning(columns)
    const [made] = (await underLock(lock(db, 'organizationIds'), inserted)) as [Organization]
    return made
  },

  update: async (id, change, at) => {
    await db
      .update(organizations)
      .set({ ...change, updatedAt: toText(at) })
      .where(eq(organizations.id, id))
  },

  // The memberships are deleted by their foreign keys.
  remove: async id => {
    await db.delete(organizations).where(eq(organizations.id, id))
  }
})

const createMemberRows = (db: PostgresDatabase): Pick<OrganizationRows, 'setRole' | 'removeMember'> => ({
  setRole: async (organizationId, userId, role) => {
    await db
      .insert(memberships)
      .values({ organizationId, userId, role })
      .onConflictDoUpdate({ target: [memberships.organizationId, memberships.userId], set: { role } })
  },

  removeMember: async (id, userId) => {
    await db.delete(memberships).where(and(eq(memberships.organizationId, id), eq(memberships.userId, userId)))
  }
})
