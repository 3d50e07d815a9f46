import { and, asc, eq, gt, sql } from 'drizzle-orm'
import type { Asker } from '../../domain/access/principal.ts'
import { mayAdministerOrganization, maySeeOrganization } from '../../domain/access/rules.ts'
import { creation, differences } from '../../domain/audits/audit.ts'
import type { Changes } from '../../domain/audits/audit.ts'
import type { Member, Organization } from '../../domain/organizations/organization.ts'
import type { OrganizationStore } from '../../domain/organizations/store.ts'
import { Forbidden, InvalidToken, LastAdmin, OrganizationNotFound, UserNotFound } from '../../domain/errors.ts'
import type { AppendAudit } from './audit-store.ts'
import { countRows } from './database.ts'
import type { SqliteDatabase } from './database.ts'
import { attempt, createChange } from './failures.ts'
import { createOwnerCheck, createRoles, giveAway } from './ownership.ts'
import { memberships, organizations, users } from './schema.ts'

const columns = { id: organizations.id, name: organizations.name, billingEmail: organizations.billingEmail }

/** What an audit entry tells of an organization. */
const audited = ({ name, billingEmail }: Omit<Organization, 'id'>): Record<string, unknown> => ({
  name,
  billing_email: billingEmail
})

export const createOrganizationStore = (db: SqliteDatabase, appendAudit: AppendAudit): OrganizationStore => {
  const change = createChange(db)

  const roleIn = createRoles(db)
  const refuseOwner = createOwnerCheck(db)

  /** The organization, where the asker may see it. */
  const see = (id: number, { userId }: Asker): Organization | null => {
    const found = db.select(columns).from(organizations).where(eq(organizations.id, id)).get()
    return found === undefined || (userId !== null && !maySeeOrganization(roleIn(id, userId))) ? null : found
  }

  /** The organization, where the asker may see it; throws where the asker may not change it. */
  const reach = (id: number, asker: Asker): Organization | null => {
    const found = see(id, asker)
    if (found !== null && asker.userId !== null && !mayAdministerOrganization(roleIn(id, asker.userId))) {
      throw new Forbidden()
    }
    return found
  }

  const memberOf = (id: number, userId: number): Member | undefined => membersOf(id, userId)[0]

  const membersOf = (id: number, userId?: number): Member[] =>
    db
      .select({ id: users.id, name: users.name, email: users.email, role: memberships.role })
      .from(memberships)
      .innerJoin(users, eq(users.id, memberships.userId))
      .where(and(eq(memberships.organizationId, id), userId === undefined ? undefined : eq(memberships.userId, userId)))
      .orderBy(asc(users.id))
      .all()

  const userOf = (userId: number): { name: string; email: string } | undefined =>
    db.select({ name: users.name, email: users.email }).from(users).where(eq(users.id, userId)).get()

  const keepAnAdmin = (id: number, member: Member | undefined): void => {
    if (member?.role !== 'admin') return
    if (countRows(db, memberships, and(eq(memberships.organizationId, id), eq(memberships.role, 'admin'))) === 1) {
      throw new LastAdmin()
    }
  }

  const audit = (action: string, id: number, at: Date, { origin }: Asker, changes: Changes): void => {
    appendAudit({
      at,
      origin,
      action: `organization.${action}`,
      subject: { type: 'organization', id: String(id) },
      changes
    })
  }

  return {
    page: async (limit, after, { userId }) =>
      await attempt(() => {
        const rows = db
          .select(columns)
          .from(organizations)
          .where(
            and(
              gt(organizations.id, after),
              userId === null
                ? undefined
                : sql`${organizations.id} in (select organization_id from memberships where user_id = ${userId})`
            )
          )
          .orderBy(asc(organizations.id))
          .limit(limit + 1)
          .all()
        return { organizations: rows.slice(0, limit), more: rows.length > limit }
      }),

    find: async (id, asker) =>
      await attempt(() => {
        const organization = see(id, asker)
        return organization === null ? null : { organization, members: membersOf(id) }
      }),

    insert: async (organization, at, asker) =>
      await change(() => {
        if (asker.userId !== null && userOf(asker.userId) === undefined) throw new InvalidToken()
        const times = { createdAt: at.toISOString(), updatedAt: at.toISOString() }
        const made = db
          .insert(organizations)
          .values({ ...organization, ...times })
          .returning(columns)
          .get()
        if (asker.userId !== null) {
          db.insert(memberships).values({ organizationId: made.id, userId: asker.userId, role: 'admin' }).run()
        }
        audit(
          'create',
          made.id,
          at,
          asker,
          creation({ ...audited(made), ...(asker.userId === null ? {} : { admin_id: asker.userId }) })
        )
        return made
      }),

    update: async (id, wanted, at, asker) =>
      await change(() => {
        const before = reach(id, asker)
        if (before === null) return null
        const after = { ...before, ...wanted }
        const changes = differences(audited(before), audited(after))
        if (Object.keys(changes).length === 0) return before
        db.update(organizations)
          .set({ ...wanted, updatedAt: at.toISOString() })
          .where(eq(organizations.id, id))
          .run()
        audit('update', id, at, asker, changes)
        return after
      }),

    remove: async (id, transferTo, at, asker) =>
      await change(() => {
        if (reach(id, asker) === null) return false
        if (transferTo !== null) refuseOwner(transferTo, 'receive', asker)
        const given = giveAway(db, appendAudit, { type: 'Organization', id }, transferTo, at, asker.origin)
        const gone = { ...given, users: countRows(db, memberships, eq(memberships.organizationId, id)) }
        db.delete(organizations).where(eq(organizations.id, id)).run()
        audit('delete', id, at, asker, differences(gone, { apps: 0, deleted_apps: 0, users: 0 }))
        return true
      }),

    setRole: async (id, userId, role, email, at, asker) =>
      await change(() => {
        if (reach(id, asker) === null) return null
        const before = memberOf(id, userId)
        const user = userOf(userId)
        if (user === undefined || (before === undefined && asker.userId !== null && user.email !== email)) {
          throw new UserNotFound()
        }
        if (role !== 'admin') keepAnAdmin(id, before)
        if (before?.role !== role) {
          db.insert(memberships)
            .values({ organizationId: id, userId, role })
            .onConflictDoUpdate({ target: [memberships.organizationId, memberships.userId], set: { role } })
            .run()
          audit('set_role', id, at, asker, { user_id: { to: userId }, role: { from: before?.role ?? null, to: role } })
        }
        return { id: userId, ...user, role }
      }),

    removeMember: async (id, userId, at, asker) =>
      await change(() => {
        const found = userId === asker.userId ? see(id, asker) : reach(id, asker)
        if (found === null) return null
        const member = memberOf(id, userId)
        if (member === undefined) throw new UserNotFound()
        keepAnAdmin(id, member)
        db.delete(memberships)
          .where(and(eq(memberships.organizationId, id), eq(memberships.userId, userId)))
          .run()
        audit('remove_user', id, at, asker, {
          user_id: { from: userId, to: null },
          role: { from: member.role, to: null }
        })
        return true
      }),

    mustAdminister: async (id, asker) => {
      await attempt(() => {
        if (reach(id, asker) === null) throw new OrganizationNotFound()
      })
    }
  }
}
