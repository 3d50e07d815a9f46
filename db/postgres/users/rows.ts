import { and, eq, lt, lte, ne } from 'drizzle-orm'
import type { UserReads, UserRows } from '../../../domain/users/rows.ts'
import { toText } from '../../timestamps.ts'
import { lock, query } from '../database.ts'
import type { PostgresDatabase } from '../database.ts'
import { underLock } from '../locking.ts'
import { sessions, userPlaces, users } from '../schema.ts'
import { createAccountReads, toAccount, toUser } from '../../user-records.ts'
import { createUserReads } from './reads.ts'

type LockingReads = 'find' | 'findAccount' | 'findAccountByEmail' | 'findSessionAccount' | 'isEmpty'
type RecordRows = 'insert' | 'update' | 'remove'
type SessionRows = Exclude<keyof UserRows, keyof UserReads | RecordRows>

export const createUserRows = (db: PostgresDatabase): UserRows => {
  const reads = createUserReads(db)
  return {
    ...reads,
    ...createLockingReads(db, reads),
    ...createRecordRows(db),
    ...createSessionRows(db)
  }
}

// Locks the user first, like everything else that ends sessions. Only then is it certain that the session still exists.
const LOCK_USER_OF_SESSION = `
  select 1 from users where id = (select user_id from sessions where id = $1) for no key update
`

/** Creates reads that lock the rows they find until the transaction ends, because the rules depend on those rows. */
const createLockingReads = (db: PostgresDatabase, reads: UserReads): Pick<UserRows, LockingReads> => ({
  ...createAccountReads(async condition =>
    toAccount((await db.select().from(users).where(condition).for('no key update'))[0])
  ),

  findSessionAccount: async sessionId =>
    await underLock(query(db, LOCK_USER_OF_SESSION, [sessionId]), reads.findSessionAccount(sessionId)),

  isEmpty: async () => await underLock(lock(db, 'userIds'), reads.isEmpty())
})

const createRecordRows = (db: PostgresDatabase): Pick<UserRows, RecordRows> => ({
  // Only one transaction at a time assigns ids. Otherwise, a page could miss an id that is committed after a higher
  // one.
  insert: async user => {
    const createdAt = toText(user.createdAt)
    const values = { ...user, createdAt, updatedAt: createdAt }
    const made = await underLock(lock(db, 'userIds'), db.insert(users).values(values).returning())
    const [row] = made as [typeof users.$inferSelect]
    return toUser(row)
  },

  update: async (id, change, at) => {
    await db
      .update(users)
      .set({ ...change, updatedAt: toText(at) })
      .where(eq(users.id, id))
  },

  // The rows that belong to the user are deleted by foreign keys.
  remove: async id => {
    await db.delete(users).where(eq(users.id, id))
  }
})

const createSessionRows = (db: PostgresDatabase): Pick<UserRows, SessionRows> => ({
  insertSession: async session => {
    await db
      .insert(sessions)
      .values({ ...session, createdAt: toText(session.createdAt), expiresAt: toText(session.expiresAt) })
  },

  removeSession: async (userId, sessionId) => {
    const { rowCount } = await db.delete(sessions).where(and(eq(sessions.userId, userId), eq(sessions.id, sessionId)))
    return rowCount === 1
  },

  removeSessions: async (userId, except) => {
    const isOther = except === undefined ? undefined : ne(sessions.id, except.sessionId)
    await db.delete(sessions).where(and(eq(sessions.userId, userId), isOther))
  },

  removeExpiredSessions: async (userId, at) => {
    await db.delete(sessions).where(and(eq(sessions.userId, userId), lte(sessions.expiresAt, toText(at))))
  },

  saveLocation: async (userId, ipPrefix, at) => {
    const lastAt = toText(at)
    await db
      .insert(userPlaces)
      .values({ userId, place: ipPrefix, lastAt })
      .onConflictDoUpdate({ target: [userPlaces.userId, userPlaces.place], set: { lastAt } })
  },

  removeLocations: async (userId, before) => {
    await db.delete(userPlaces).where(and(eq(userPlaces.userId, userId), lt(userPlaces.lastAt, toText(before))))
  }
})
