import type { Transactor } from '../transactor.ts'
import { createUserChanges } from './changes.ts'
import type { UserChanges } from './changes.ts'
import { createUserOverviews } from './overview.ts'
import type { UserOverviews } from './overview.ts'
import { createUserQueries } from './queries.ts'
import type { UserQueries } from './queries.ts'
import { createUserRemoval } from './removal.ts'
import type { UserRemoval } from './removal.ts'
import { createUserSessions } from './sessions.ts'
import type { UserSessions } from './sessions.ts'
import { createSignIn } from './sign-in.ts'
import type { SignIn } from './sign-in.ts'

/**
 * Users and their sessions, and what may be done with them.
 *
 * Each change is one transaction, which writes its audit entries. A user who does not exist is a UserNotFound, an
 * address that another user has is an EmailTaken. E-mail addresses are in lower case. Client keys with any limit make
 * and change no administrators, and set no password or address of anybody: BeyondPermissionBoundary.
 */
export interface UserService extends UserQueries, UserOverviews, UserChanges, UserRemoval, UserSessions, SignIn {}

export const createUserService = (transactor: Transactor): UserService => ({
  ...createUserQueries(transactor),
  ...createUserOverviews(transactor),
  ...createUserChanges(transactor),
  ...createUserRemoval(transactor),
  ...createUserSessions(transactor),
  ...createSignIn(transactor)
})
