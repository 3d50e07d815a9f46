import { and, desc, eq, gt, gte } from 'drizzle-orm'
import type { UserReads } from '../../../domain/users/rows.ts'
import type { Session } from '../../../domain/users/session.ts'
import type { User } from '../../../domain/users/user.ts'
import type { SqliteDatabase } from '../database.ts'
import { toDate, toText } from '../../timestamps.ts'
import { sessions, userPlaces, users } from '../schema.ts'
import { toAccount } from '../../user-records.ts'

/** Finds a session. This runs for every request of a user, so it doesn't use Drizzle, and returns an array. */
const FIND_SESSION = `
  select session.id, session.client, session.created_at, session.expires_at, session.address, session.agent,
    user.id, user.name, user.email, user.role, user.color_theme, user.account_locked, user.created_at
  from sessions as session join users as user on user.id = session.user_id where session.digest = ? and
    session.expires_at > ?
`

type SessionUserRow = [
  id: string,
  client: string,
  createdAt: string,
  expiresAt: string,
  address: string,
  agent: string | null,
  userId: number,
  name: string,
  email: string,
  role: User['role'],
  colorTheme: string | null,
  accountLocked: number,
  userCreatedAt: string
]

const toSessionAndUser = (
  digest: string,
  [
    id,
    client,
    createdAt,
    expiresAt,
    address,
    agent,
    userId,
    name,
    email,
    role,
    theme,
    locked,
    userSince
  ]: SessionUserRow
): { session: Session; user: User } => ({
  session: {
    id,
    userId,
    digest,
    client,
    createdAt: toDate(createdAt),
    expiresAt: toDate(expiresAt),
    address,
    agent
  },
  user: {
    id: userId,
    name,
    email,
    role,
    colorTheme: theme,
    accountLocked: locked === 1,
    createdAt: toDate(userSince)
  }
})

type SessionReads = 'findSession' | 'findSessionAccount' | 'sessions' | 'isKnownLocation'

/** Creates the reads for sessions and known locations. */
export const createSessionReads = (db: SqliteDatabase): Pick<UserReads, SessionReads> => {
  const findSession = db.$client.prepare<[string, string], SessionUserRow>(FIND_SESSION).raw()
  return {
    findSession: async (digest, at) => {
      const row = findSession.get(digest, toText(at))
      return row === undefined ? null : toSessionAndUser(digest, row)
    },

    findSessionAccount: async sessionId => {
      const found = db
        .select({ user: users })
        .from(sessions)
        .innerJoin(users, eq(users.id, sessions.userId))
        .where(eq(sessions.id, sessionId))
        .get()
      return toAccount(found?.user)
    },

    sessions: async (userId, at) =>
      db
        .select()
        .from(sessions)
        .where(and(eq(sessions.userId, userId), gt(sessions.expiresAt, toText(at))))
        .orderBy(desc(sessions.createdAt))
        .all()
        .map(row => ({ ...row, createdAt: toDate(row.createdAt), expiresAt: toDate(row.expiresAt) })),

    isKnownLocation: async (userId, ipPrefix, since) =>
      db
        .select({ place: userPlaces.place })
        .from(userPlaces)
        .where(
          and(eq(userPlaces.userId, userId), eq(userPlaces.place, ipPrefix), gte(userPlaces.lastAt, toText(since)))
        )
        .get() !== undefined
  }
}
