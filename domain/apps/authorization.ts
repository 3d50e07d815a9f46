import { userIdOf } from '../access/principal.ts'
import type { RequestContext } from '../access/principal.ts'
import { mayDo } from '../access/rules.ts'
import type { AppAction } from '../access/rules.ts'
import { AppNotFound, Forbidden } from '../errors.ts'
import type { App } from './app.ts'
import type { AppKey, AppReads } from './rows.ts'

/** The reads that authorization needs. */
type Authorizing = Pick<AppReads, 'find' | 'findWithDiscarded' | 'relationship'>

/**
 * Returns an app that isn't discarded, or null if it doesn't exist or the principal may not see it. Throws Forbidden if
 * the principal may see it, but not perform the action.
 */
export const findAuthorized = async (
  apps: Authorizing,
  key: AppKey,
  action: AppAction,
  context: RequestContext
): Promise<App | null> => await authorize(apps, await apps.find(key), action, context)

/** Does the same as `findAuthorized`, but throws AppNotFound instead of returning null. */
export const requireAuthorized = async (...args: Parameters<typeof findAuthorized>): Promise<App> =>
  existing(await findAuthorized(...args))

/** Does the same as `requireAuthorized`, but includes discarded apps. */
export const requireAuthorizedWithDiscarded = async (
  apps: Authorizing,
  key: AppKey,
  action: AppAction,
  context: RequestContext
): Promise<App> => existing(await authorize(apps, await apps.findWithDiscarded(key), action, context))

/** Returns the app. Throws AppNotFound if it is null. */
export const existing = (app: App | null): App => {
  if (app === null) throw new AppNotFound()
  return app
}

const authorize = async (
  apps: Authorizing,
  app: App | null,
  action: AppAction,
  context: RequestContext
): Promise<App | null> => {
  const userId = userIdOf(context)
  if (app === null || userId === null) return app
  const relationship = await apps.relationship(app, userId)
  if (!mayDo(relationship, 'read')) return null
  if (!mayDo(relationship, action)) throw new Forbidden()
  return app
}
