import type { App, Owner } from '../../domain/apps/app.ts'
import type { Transactor, Tx } from '../../domain/transactor.ts'
import { sessionDigest } from '../../domain/users/session.ts'
import type { Session } from '../../domain/users/session.ts'
import type { NewUser, User } from '../../domain/users/user.ts'

/** The time at which the contract tests create their rows. */
export const AT = new Date('2026-01-05T09:00:00.000Z')

/** Returns the timestamp that is `milliseconds` after `AT`. */
export const after = (milliseconds: number): Date => new Date(AT.getTime() + milliseconds)

export const newUser = (name: string, more: Partial<NewUser> = {}): NewUser => ({
  name,
  email: `${name.toLowerCase()}@example.com`,
  role: 'member',
  passwordHash: null,
  createdAt: AT,
  ...more
})

/** Stores users with the specified names, in order. */
export const insertUsers = async ({ write }: Transactor, ...names: string[]): Promise<User[]> =>
  await write(async ({ users }) => {
    const made: User[] = []
    for (const name of names) made.push(await users.insert(newUser(name)))
    return made
  })

/** Stores an app that belongs to `owner`. */
export const insertApp = async ({ apps }: Pick<Tx, 'apps'>, name: string, owner: Owner): Promise<App> => {
  const app = { name, descriptiveName: name, owner, panels: null, schedule: null, createdAt: AT }
  return await apps.insert(app, Number(await apps.takePort()))
}

export const newSession = (id: string, userId: number, more: Partial<Session> = {}): Session => ({
  id,
  userId,
  digest: sessionDigest(id),
  client: `client of ${id}`,
  createdAt: AT,
  expiresAt: after(1000),
  address: '192.0.2.7',
  agent: null,
  ...more
})
