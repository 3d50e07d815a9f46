import { userIdOf } from '../access/principal.ts'
import type { RequestContext } from '../access/principal.ts'
import { mayDo } from '../access/rules.ts'
import type { AppAction } from '../access/rules.ts'
import { AppNotFound, Forbidden } from '../errors.ts'
import type { App } from './app.ts'
import type { AppKey, AppReads } from './rows.ts'

/** The reads required for authorization. */
type Authorizing = Pick<AppReads, 'find' | 'findWithDiscarded' | 'relationship'>

/**
 * Returns an app, or null if it doesn't exist, is discarded, or isn't visible to the principal. Throws Forbidden if the
 * principal may see the app, but may not perform the action.
 */
export const findAuthorized = async (
  apps: Authorizing,
  key: AppKey,
  action: AppAction,
  context: RequestContext
): Promise<App | null> => await authorize(apps, await apps.find(key), action, context)

/** Like `findAuthorized`, but throws AppNotFound instead of returning null. */
export const requireAuthorized = async (...args: Parameters<typeof findAuthorized>): Promise<App> =>
  existing(await findAuthorized(...args))

/** Like `requireAuthorized`, but includes discarded apps. */
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
