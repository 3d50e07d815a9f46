import { and, eq, lt, lte, ne } from 'drizzle-orm'
import type { UserReads, UserRows } from '../../../domain/users/rows.ts'
import type { SqliteDatabase } from '../database.ts'
import { toText } from '../../timestamps.ts'
import { sessions, userPlaces, users } from '../schema.ts'
import { toUser } from '../../user-records.ts'
import { createUserReads } from './reads.ts'

type RecordRows = 'insert' | 'update' | 'remove'
type SessionRows = Exclude<keyof UserRows, keyof UserReads | RecordRows>

export const createUserRows = (db: SqliteDatabase): UserRows => ({
  ...createUserReads(db),
  ...createRecordRows(db),
  ...createSessionRows(db)
})

const createRecordRows = (db: SqliteDatabase): Pick<UserRows, RecordRows> => ({
  insert: async user => {
    const createdAt = toText(user.createdAt)
    return toUser(
      db
        .insert(users)
        .values({ ...user, createdAt, updatedAt: createdAt })
        .returning()
        .get()
    )
  },

  update: async (id, change, at) => {
    db.update(users)
      .set({ ...change, updatedAt: toText(at) })
      .where(eq(users.id, id))
      .run()
  },

  // The rows that belong to the user are deleted by foreign keys.
  remove: async id => {
    db.delete(users).where(eq(users.id, id)).run()
  }
})

const createSessionRows = (db: SqliteDatabase): Pick<UserRows, SessionRows> => ({
  insertSession: async session => {
    db.insert(sessions)
      .values({ ...session, createdAt: toText(session.createdAt), expiresAt: toText(session.expiresAt) })
      .run()
  },

  removeSession: async (userId, sessionId) =>
    db
      .delete(sessions)
      .where(and(eq(sessions.userId, userId), eq(sessions.id, sessionId)))
      .run().changes === 1,

  removeSessions: async (userId, except) => {
    const isOther = except === undefined ? undefined : ne(sessions.id, except.sessionId)
    db.delete(sessions)
      .where(and(eq(sessions.userId, userId), isOther))
      .run()
  },

  removeExpiredSessions: async (userId, at) => {
    db.delete(sessions)
      .where(and(eq(sessions.userId, userId), lte(sessions.expiresAt, toText(at))))
      .run()
  },

  saveLocation: async (userId, ipPrefix, at) => {
    const lastAt = toText(at)
    db.insert(userPlaces)
      .values({ userId, place: ipPrefix, lastAt })
      .onConflictDoUpdate({ target: [userPlaces.userId, userPlaces.place], set: { lastAt } })
      .run()
  },

  removeLocations: async (userId, before) => {
    db.delete(userPlaces)
      .where(and(eq(userPlaces.userId, userId), lt(userPlaces.lastAt, toText(before))))
      .run()
  }
})
