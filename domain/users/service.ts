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
 * The operations on users and their sessions.
 *
 * Functions throw UserNotFound if a user doesn't exist, and EmailTaken if another user has the e-mail address. They
 * throw BeyondPermissionBoundary if a client key that is limited in any way creates or changes an administrator, or sets a password
 * or an e-mail address. E-mail addresses must be in lower case. Each change is one transaction, which includes its
 * audit entries.
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
