import { setImmediate } from 'node:timers/promises'
import { and, asc, desc, eq, gt, gte, isNull, lt, lte, ne, sql } from 'drizzle-orm'
import type { SQL } from 'drizzle-orm'
import type { Origin } from '../../domain/audits/audit.ts'
import { creation, differences } from '../../domain/audits/audit.ts'
import { userActor } from '../../domain/access/principal.ts'
import { permitsIn } from '../../domain/access/rules.ts'
import type { Session } from '../../domain/users/session.ts'
import { EmailTaken, InvalidLogin, InvalidToken, LastAdmin } from '../../domain/errors.ts'
import { toUserJson } from '../../domain/users/representation.ts'
import type { Account, UserGrant, UserStore } from '../../domain/users/store.ts'
import type { User } from '../../domain/users/user.ts'
import type { AppendAudit } from './audit-store.ts'
import { countRows } from './database.ts'
import type { SqliteDatabase } from './database.ts'
import { attempt, createChange } from './failures.ts'
import { giveAway } from './ownership.ts'
import { apps, grants, memberships, sessions, userPlaces, users } from './schema.ts'

type UserRow = typeof users.$inferSelect

const toUser = ({ passwordHash, updatedAt, ...user }: UserRow): User => user

const toSession = ({ createdAt, expiresAt, ...session }: typeof sessions.$inferSelect): Session => ({
  ...session,
  createdAt: new Date(createdAt),
  expiresAt: new Date(expiresAt)
})

/** How many grants are read before other work gets its turn. */
const WINDOW = 1000
/**
 * So many memberships and grants that go with a user have audit entries of their own; that of the user counts them all.
 */
const MOST_ENTRIES = 1000
const PLACE_DAYS = 90
const DAY_MS = 86_400_000

const daysBefore = (at: Date): string => new Date(at.getTime() - PLACE_DAYS * DAY_MS).toISOString()

/** What an audit entry tells of a user: neither the password nor a hash of it. */
const audited = (user: User): Record<string, unknown> => {
  const { id, created_at: at, ...fields } = toUserJson(user)
  return fields
}

export const createUserStore = (db: SqliteDatabase, appendAudit: AppendAudit): UserStore => {
  const change = createChange(db)

  const rowOf = (id: number): UserRow | undefined => db.select().from(users).where(eq(users.id, id)).get()

  const toAccount = (row: UserRow | undefined): Account | null =>
    row === undefined ? null : { user: toUser(row), passwordHash: row.passwordHash }

  const isTaken = (email: string, id: number): boolean =>
    db
      .select({ id: users.id })
      .from(users)
      .where(and(sql`lower(${users.email}) = ${email}`, ne(users.id, id)))
      .get() !== undefined

  /** What a user was granted on apps of a higher id than `after`: so many of them. */
  const grantsOf = (id: number, limit: number, after = 0, condition?: SQL): UserGrant[] =>
    db
      .select({ appId: grants.appId, appName: apps.name, sum: sql<number>`sum(${grants.permit})` })
      .from(grants)
      .innerJoin(apps, eq(apps.id, grants.appId))
      .where(and(eq(grants.userId, id), gt(grants.appId, after), condition))
      .groupBy(grants.appId)
      .orderBy(asc(grants.appId))
      .limit(limit)
      .all()
      .map(({ appId, appName, sum }) => ({ appId, appName, permits: permitsIn(sum) }))

  /** Whether there is an organization of which the user is the one admin. */
  const isLastAdmin = (id: number): boolean =>
    db.get<{ organization_id: number } | undefined>(sql`
    select organization_id from memberships as own where user_id = ${id} and role = 'admin'
    and not exists (select 1 from memberships as other where other.organization_id = own.organization_id and other.role = 'admin' and other.user_id <> ${id})
    limit 1`) !== undefined

  const audit = (
    action: string,
    id: number,
    at: Date,
    origin: Origin,
    changes: Parameters<AppendAudit>[0]['changes']
  ): void => {
    appendAudit({ at, origin, action: `user.${action}`, subject: { type: 'user', id: String(id) }, changes })
  }

  return {
    insert: async (user, author) =>
      await change(() => {
        if (isTaken(user.email, 0)) throw new EmailTaken()
        const made = toUser(
          db
            .insert(users)
            .values({ ...user, updatedAt: user.createdAt })
            .returning()
            .get()
        )
        audit(
          'create',
          made.id,
          new Date(user.createdAt),
          'actor' in author ? author : { actor: userActor(made), address: author.address, requestId: author.requestId },
          creation(audited(made))
        )
        return made
      }),

    find: async id => await attempt(() => toAccount(rowOf(id))?.user ?? null),

    findAccount: async email =>
      await attempt(() =>
        toAccount(
          db
            .select()
            .from(users)
            .where(sql`lower(${users.email}) = ${email}`)
            .get()
        )
      ),

    page: async (limit, after) =>
      await attempt(() => {
        const rows = db
          .select()
          .from(users)
          .where(gt(users.id, after))
          .orderBy(asc(users.id))
          .limit(limit + 1)
          .all()
        return { users: rows.slice(0, limit).map(toUser), more: rows.length > limit }
      }),

    update: async (id, wanted, at, origin) =>
      await change(() => {
        const before = rowOf(id)
        if (before === undefined) return null
        if (wanted.email !== undefined && isTaken(wanted.email, id)) throw new EmailTaken()
        const { passwordHash, ...fields } = wanted
        const after = { ...before, ...fields }
        const changes = {
          ...differences(audited(toUser(before)), audited(toUser(after))),
          ...(passwordHash === undefined ? {} : { password: { changed: true } as const })
        }
        if (Object.keys(changes).length === 0) return toUser(before)
        db.update(users)
          .set({ ...wanted, updatedAt: at.toISOString() })
          .where(eq(users.id, id))
          .run()
        if (after.accountLocked || passwordHash !== undefined || after.email !== before.email) {
          db.delete(sessions).where(eq(sessions.userId, id)).run()
        }
        audit('update', id, at, origin, changes)
        return toUser(after)
      }),

    changePassword: async ({ id, userId }, checked, passwordHash, at, origin) => {
      await change(() => {
        const found = db
          .select({ hash: users.passwordHash })
          .from(sessions)
          .innerJoin(users, eq(users.id, sessions.userId))
          .where(eq(sessions.id, id))
          .get()
        if (found === undefined) throw new InvalidToken()
        if (found.hash !== checked) throw new InvalidLogin()
        db.update(users).set({ passwordHash, updatedAt: at.toISOString() }).where(eq(users.id, userId)).run()
        db.delete(sessions)
          .where(and(eq(sessions.userId, userId), ne(sessions.id, id)))
          .run()
        audit('update', userId, at, origin, { password: { changed: true } })
      })
    },

    remove: async (id, transferTo, at, origin) =>
      await change(() => {
        if (rowOf(id) === undefined) return false
        if (isLastAdmin(id)) throw new LastAdmin()
        const given = giveAway(db, appendAudit, { type: 'User', id }, transferTo, at, origin)
        const gone = {
          ...given,
          organizations: countRows(db, memberships, eq(memberships.userId, id)),
          grants: countRows(db, grants, eq(grants.userId, id))
        }
        for (const { organizationId, role } of db
          .select()
          .from(memberships)
          .where(eq(memberships.userId, id))
          .limit(MOST_ENTRIES)
          .all()) {
          const subject = { type: 'organization', id: String(organizationId) } as const
          appendAudit({
            at,
            origin,
            action: 'organization.remove_user',
            subject,
            changes: { user_id: { from: id, to: null }, role: { from: role, to: null } }
          })
        }
        for (const { appName, permits } of grantsOf(id, MOST_ENTRIES)) {
          appendAudit({
            at,
            origin,
            action: 'app.revoke',
            subject: { type: 'app', id: appName },
            changes: { user_id: { from: id, to: null }, permits: { from: permits, to: [] } }
          })
        }
        db.delete(users).where(eq(users.id, id)).run()
        audit('delete', id, at, origin, differences(gone, { apps: 0, deleted_apps: 0, organizations: 0, grants: 0 }))
        return true
      }),

    grants: async id => {
      const all: UserGrant[] = []
      for (;;) {
        const some = await attempt(() => grantsOf(id, WINDOW, all.at(-1)?.appId, isNull(apps.discardedAt)))
        all.push(...some)
        if (some.length < WINDOW) return all
        await setImmediate()
      }
    },

    startSession: async (session, place, checked, origin) => {
      await change(() => {
        const row = rowOf(session.userId)
        if (row === undefined || row.accountLocked || row.passwordHash !== checked) throw new InvalidLogin()
        const lastAt = session.createdAt.toISOString()
        db.delete(userPlaces)
          .where(and(eq(userPlaces.userId, row.id), lt(userPlaces.lastAt, daysBefore(session.createdAt))))
          .run()
        db.insert(userPlaces)
          .values({ userId: row.id, place, lastAt })
          .onConflictDoUpdate({ target: [userPlaces.userId, userPlaces.place], set: { lastAt } })
          .run()
        db.delete(sessions)
          .where(and(eq(sessions.userId, session.userId), lte(sessions.expiresAt, session.createdAt.toISOString())))
          .run()
        db.insert(sessions)
          .values({
            ...session,
            createdAt: session.createdAt.toISOString(),
            expiresAt: session.expiresAt.toISOString()
          })
          .run()
        audit('sign_in', session.userId, session.createdAt, origin, creation({ session_id: session.id }))
      })
    },

    findSession: async (digest, at) =>
      await attempt(() => {
        const found = db
          .select({ session: sessions, user: users })
          .from(sessions)
          .innerJoin(users, eq(users.id, sessions.userId))
          .where(and(eq(sessions.digest, digest), gt(sessions.expiresAt, at.toISOString())))
          .get()
        return found === undefined || found.user.accountLocked
          ? null
          : { session: toSession(found.session), user: toUser(found.user) }
      }),

    sessions: async (userId, at) =>
      await attempt(() =>
        db
          .select()
          .from(sessions)
          .where(and(eq(sessions.userId, userId), gt(sessions.expiresAt, at.toISOString())))
          .orderBy(desc(sessions.createdAt))
          .all()
          .map(toSession)
      ),

    endSession: async (userId, id, at, origin) =>
      await change(() => {
        const isDone =
          db
            .delete(sessions)
            .where(and(eq(sessions.userId, userId), eq(sessions.id, id)))
            .run().changes === 1
        if (isDone) audit('sign_out', userId, at, origin, { session_id: { from: id, to: null } })
        return isDone
      }),

    isKnownPlace: async (userId, place, at) =>
      await attempt(
        () =>
          db
            .select({ place: userPlaces.place })
            .from(userPlaces)
            .where(
              and(eq(userPlaces.userId, userId), eq(userPlaces.place, place), gte(userPlaces.lastAt, daysBefore(at)))
            )
            .get() !== undefined
      )
  }
}
