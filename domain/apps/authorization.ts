import { userIdOf } from '../access/principal.ts'
import type { RequestContext } from '../access/principal.ts'
import { mayDo } from '../access/rules.ts'
import type { AppAction } from '../access/rules.ts'
import { AppNotFound, Forbidden } from '../errors.ts'
import type { App } from './app.ts'
import type { AppKey, AppReads } from './rows.ts'

/** Where the rules look: what is found depends on who asks. */
type Authorizing = Pick<AppReads, 'find' | 'findWithDiscarded' | 'relationship'>

/**
 * The app of a key, where it is not discarded and the principal may see it; null where it is not so. Throws Forbidden
 * where the principal may see it, but not do this to it.
 */
export const findAuthorized = async (
  apps: Authorizing,
  key: AppKey,
  action: AppAction,
  context: RequestContext
): Promise<App | null> => await authorize(apps, await apps.find(key), action, context)

/** The same, throwing AppNotFound rather than answering null. */
export const requireAuthorized = async (...args: Parameters<typeof findAuthorized>): Promise<App> =>
  existing(await findAuthorized(...args))

/** The same as `requireAuthorized`, of discarded apps too. */
export const requireAuthorizedWithDiscarded = async (
  apps: Authorizing,
  key: AppKey,
  action: AppAction,
  context: RequestContext
): Promise<App> => existing(await authorize(apps, await apps.findWithDiscarded(key), action, context))

/** Throws AppNotFound for null. */
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
