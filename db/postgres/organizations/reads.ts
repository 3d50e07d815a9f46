import { and, asc, eq, gt, inArray, ne, notExists, sql } from 'drizzle-orm'
import { alias } from 'drizzle-orm/pg-core'
import type { OrganizationReads } from '../../../domain/organizations/rows.ts'
import { countRows } from '../database.ts'
import type { PostgresDatabase } from '../database.ts'
import { memberships, organizations, users } from '../schema.ts'

/** The columns of an organization. */
export const columns = { id: organizations.id, name: organizations.name, billingEmail: organizations.billingEmail }

export const createOrganizationReads = (db: PostgresDatabase): OrganizationReads => ({
  find: async id => (await db.select(columns).from(organizations).where(eq(organizations.id, id)))[0] ?? null,

  page: async ({ limit, after, userId }) =>
    await db
      .select(columns)
      .from(organizations)
      .where(
        and(gt(organizations.id, after), userId === null ? undefined : inArray(organizations.id, ofUser(db, userId)))
      )
      .orderBy(asc(organizations.id))
      .limit(limit),

  isEmpty: async () => (await db.select({ id: organizations.id }).from(organizations).limit(1)).length === 0,
  ...createMemberReads(db),
  ...createMembershipReads(db)
})

/** Selects the ids of the organizations that a user belongs to. */
const ofUser = (db: PostgresDatabase, userId: number) =>
  db.select({ id: memberships.organizationId }).from(memberships).where(eq(memberships.userId, userId))

type MemberReads = 'roleOf' | 'members' | 'countMembers' | 'countAdmins'

const createMemberReads = (db: PostgresDatabase): Pick<OrganizationReads, MemberReads> => ({
  roleOf: async (id, userId) => {
    const found = await db
      .select({ role: memberships.role })
      .from(memberships)
      .where(and(eq(memberships.organizationId, id), eq(memberships.userId, userId)))
    return found[0]?.role ?? null
  },

  members: async id =>
    await db
      .select({ id: users.id, name: users.name, email: users.email, role: memberships.role })
      .from(memberships)
      .innerJoin(users, eq(users.id, memberships.userId))
      .where(eq(memberships.organizationId, id))
      .orderBy(asc(users.id)),

  countMembers: async id => await countRows(db, memberships, eq(memberships.organizationId, id)),

  countAdmins: async id =>
    await countRows(db, memberships, and(eq(memberships.organizationId, id), eq(memberships.role, 'admin')))
})

const createMembershipReads = (
  db: PostgresDatabase
): Pick<OrganizationReads, 'memberships' | 'countMemberships' | 'isOnlyAdmin'> => {
  const others = alias(memberships, 'others')

  return {
    memberships: async (userId, { limit }) =>
      await db
        .select({ organizationId: memberships.organizationId, role: memberships.role })
        .from(memberships)
        .where(eq(memberships.userId, userId))
        .orderBy(asc(memberships.organizationId))
        .limit(limit),

    countMemberships: async userId => await countRows(db, memberships, eq(memberships.userId, userId)),

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
      const alone = await db
        .select({ organizationId: memberships.organizationId })
        .from(memberships)
        .where(and(eq(memberships.userId, userId), eq(memberships.role, 'admin'), notExists(otherAdmins)))
        .limit(1)
      return alone.length > 0
    }
  }
}
