import { and, asc, eq, gt, inArray, ne, notExists, sql } from 'drizzle-orm'
import { alias } from 'drizzle-orm/sqlite-core'
import type { OrganizationReads, OrganizationRows } from '../../../domain/organizations/rows.ts'
import { countRows } from '../database.ts'
import type { SqliteDatabase } from '../database.ts'
import { toText } from '../../timestamps.ts'
import { memberships, organizations, users } from '../schema.ts'

const columns = { id: organizations.id, name: organizations.name, billingEmail: organizations.billingEmail }

export const createOrganizationReads = (db: SqliteDatabase): OrganizationReads => ({
  find: async id => db.select(columns).from(organizations).where(eq(organizations.id, id)).get() ?? null,

  page: async ({ limit, after, userId }) =>
    db
      .select(columns)
      .from(organizations)
      .where(
        and(gt(organizations.id, after), userId === null ? undefined : inArray(organizations.id, ofUser(db, userId)))
      )
      .orderBy(asc(organizations.id))
      .limit(limit)
      .all(),

  isEmpty: async () => db.select({ id: organizations.id }).from(organizations).limit(1).get() === undefined,
  ...createMemberReads(db),
  ...createMembershipReads(db)
})

/** Selects the ids of the organizations that a user belongs to. */
const ofUser = (db: SqliteDatabase, userId: number) =>
  db.select({ id: memberships.organizationId }).from(memberships).where(eq(memberships.userId, userId))

type MemberReads = 'roleOf' | 'members' | 'countMembers' | 'countAdmins'

const createMemberReads = (db: SqliteDatabase): Pick<OrganizationReads, MemberReads> => ({
  roleOf: async (id, userId) =>
    db
      .select({ role: memberships.role })
      .from(memberships)
      .where(and(eq(memberships.organizationId, id), eq(memberships.userId, userId)))
      .get()?.role ?? null,

  members: async id =>
    db
      .select({ id: users.id, name: users.name, email: users.email, role: memberships.role })
      .from(memberships)
      .innerJoin(users, eq(users.id, memberships.userId))
      .where(eq(memberships.organizationId, id))
      .orderBy(asc(users.id))
      .all(),

  countMembers: async id => countRows(db, memberships, eq(memberships.organizationId, id)),

  countAdmins: async id =>
    countRows(db, memberships, and(eq(memberships.organizationId, id), eq(memberships.role, 'admin')))
})

const createMembershipReads = (
  db: SqliteDatabase
): Pick<OrganizationReads, 'memberships' | 'countMemberships' | 'isOnlyAdmin'> => {
  const others = alias(memberships, 'others')

  return {
    memberships: async (userId, { limit }) =>
      db
        .select({ organizationId: memberships.organizationId, role: memberships.role })
        .from(memberships)
        .where(eq(memberships.userId, userId))
        .orderBy(asc(memberships.organizationId))
        .limit(limit)
        .all(),

    countMemberships: async userId => countRows(db, memberships, eq(memberships.userId, userId)),

    isOnlyAdmin: async userId => {
      const otherAdmins = db
        .select({ one: sql`1` })
        .from(others)
        .where(
          and(
            eq(others.organizationId, memberships.organizationId),
            eq(others.role, 'admin'),
            ne(others.userId, userId)
          )
        )
      return (
        db
          .select({ organizationId: memberships.organizationId })
          .from(memberships)
          .where(and(eq(memberships.userId, userId), eq(memberships.role, 'admin'), notExists(otherAdmins)))
          .limit(1)
          .get() !== undefined
      )
    }
  }
}

export const createOrganizationRows = (db: SqliteDatabase): OrganizationRows => ({
  ...createOrganizationReads(db),

  insert: async (organization, at) =>
    db
      .insert(organizations)
      .values({ ...organization, createdAt: toText(at), updatedAt: toText(at) })
      .returning(columns)
      .get(),

  update: async (id, change, at) => {
    db.update(organizations)
      .set({ ...change, updatedAt: toText(at) })
      .where(eq(organizations.id, id))
      .run()
  },

  // The memberships are deleted by their foreign keys.
  remove: async id => {
    db.delete(organizations).where(eq(organizations.id, id)).run()
  },

  setRole: async (organizationId, userId, role) => {
    db.insert(memberships)
      .values({ organizationId, userId, role })
      .onConflictDoUpdate({ target: [memberships.organizationId, memberships.userId], set: { role } })
      .run()
  },

  removeMember: async (id, userId) => {
    db.delete(memberships)
      .where(and(eq(memberships.organizationId, id), eq(memberships.userId, userId)))
      .run()
  }
})
