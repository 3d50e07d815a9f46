import { and, desc, eq, gt, gte } from 'drizzle-orm'
import type { UserReads } from '../../../domain/users/rows.ts'
import type { Session } from '../../../domain/users/session.ts'
import type { User } from '../../../domain/users/user.ts'
import { toDate, toText } from '../../timestamps.ts'
import { query } from '../database.ts'
import type { PostgresDatabase } from '../database.ts'
import { sessions, userPlaces, users } from '../schema.ts'
import { toAccount } from '../../user-records.ts'

/** Finds a session. This runs for every request of a user, so it doesn't use Drizzle. */
const FIND_SESSION = `
  select session.id, session.client, session.created_at, session.expires_at, session.address, session.agent,
    user_id, name, email, role, color_theme, account_locked, users.created_at as user_created_at
  from sessions as session join users on users.id = session.user_id
  where session.digest = $1 and session.expires_at > $2
`

interface SessionUserRow {
  id: string
  client: string
  created_at: string
  expires_at: string
  address: string
  agent: string | null
  user_id: string
  name: string
  email: string
  role: User['role']
  color_theme: string | null
  account_locked: boolean
  user_created_at: string
}

const toSessionAndUser = (digest: string, row: SessionUserRow): { session: Session; user: User } => {
  const userId = Number(row.user_id)
  const { id, client, address, agent, name, email, role } = row
  return {
    session: {
      id,
      userId,
      digest,
      client,
      createdAt: toDate(row.created_at),
      expiresAt: toDate(row.expires_at),
      address,
      agent
    },
    user: {
      id: userId,
      name,
      email,
      role,
      colorTheme: row.color_theme,
      accountLocked: row.account_locked,
      createdAt: toDate(row.user_created_at)
    }
  }
}

type SessionReads = 'findSession' | 'findSessionAccount' | 'sessions' | 'isKnownLocation'

/** Creates the reads for sessions and known locations. */
export const createSessionReads = (db: PostgresDatabase): Pick<UserReads, SessionReads> => ({
  findSession: async (digest, at) => {
    const { rows } = await query(db, FIND_SESSION, [Buffer.from(digest, 'hex'), toText(at)])
    const [row] = rows as SessionUserRow[]
    return row === undefined ? null : toSessionAndUser(digest, row)
  },

  findSessionAccount: async sessionId => {
    const found = await db
      .select({ user: users })
      .from(sessions)
      .innerJoin(users, eq(users.id, sessions.userId))
      .where(eq(sessions.id, sessionId))
    return toAccount(found[0]?.user)
  },

  sessions: async (userId, at) => {
    const found = await db
      .select()
      .from(sessions)
      .where(and(eq(sessions.userId, userId), gt(sessions.expiresAt, toText(at))))
      .orderBy(desc(sessions.createdAt))
    return found.map(row => ({ ...row, createdAt: toDate(row.createdAt), expiresAt: toDate(row.expiresAt) }))
  },

  isKnownLocation: async (userId, ipPrefix, since) => {
    const found = await db
      .select({ place: userPlaces.place })
      .from(userPlaces)
      .where(and(eq(userPlaces.userId, userId), eq(userPlaces.place, ipPrefix), gte(userPlaces.lastAt, toText(since))))
    return found.length > 0
  }
})
