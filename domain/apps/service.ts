import { userIdOf } from '../access/principal.ts'
import type { RequestContext } from '../access/principal.ts'
import type { AppAction } from '../access/rules.ts'
import type { ReadOptions } from '../transaction.ts'
import type { App, AppChange, NewApp, Owner, Tag, TagKey } from './app.ts'
import { requireAuthorized, requireAuthorizedWithDiscarded } from './authorization.ts'
import { discardApp, updateApp } from './changes.ts'
import { copyApp, createApp } from './creation.ts'
import type { WantedApp } from './creation.ts'
import { grantPermits, listGrants, revokePermits } from './grants.ts'
import type { AppFilter, AppGrant, AppKey } from './rows.ts'
import type { AppPage, AppRange, AppStore } from './store.ts'
import { addTag, removeTag } from './tags.ts'
import { transferApp } from './ownership.ts'

/** The apps to list, and the part of the list to return. */
export interface AppQuery extends AppRange, Omit<AppFilter, 'userId'> {}

/**
 * The operations on apps. `mayDo` defines the rules for users; client keys and the operator bypass them. Functions
 * throw AppNotFound if the app doesn't exist, is discarded, or isn't visible to the principal. They throw Forbidden if
 * the principal may see the app, but may not perform the action. Each change is one transaction, which includes its
 * audit entry.
 */
export interface AppService {
  /** Lists the apps that the principal may read. */
  list: (query: AppQuery, context: RequestContext, options?: ReadOptions) => Promise<AppPage>
  find: (key: AppKey, context: RequestContext) => Promise<App>
  /** Returns an app's name, even if the app is discarded. Throws if the principal may not perform the action on it. */
  nameFor: (key: AppKey, action: AppAction, context: RequestContext) => Promise<string>
  /** Creates an app. Throws DescriptiveNameTaken, NoPortLeft, or any error of `refuseOwner`. */
  create: (wanted: WantedApp, context: RequestContext) => Promise<App>
  /**
   * Copies an app. Throws Forbidden if the principal may not create apps for the app's owner. May also throw
   * DescriptiveNameTaken or NoPortLeft.
   */
  copy: (key: AppKey, copy: Pick<NewApp, 'descriptiveName'>, context: RequestContext) => Promise<App>
  /** Changes an app. Throws DescriptiveNameTaken if the owner has another app with the new name. */
  update: (key: AppKey, change: AppChange, context: RequestContext) => Promise<App>
  discard: (key: AppKey, context: RequestContext) => Promise<void>
  /** Adds a tag, unless the app already has it. Throws TooManyTags if the app already has 1000 tags. */
  addTag: (key: AppKey, tag: TagKey, context: RequestContext) => Promise<{ tag: Tag; added: boolean }>
  /** Removes a tag. Throws TagNotFound if the app doesn't have the tag or doesn't exist. */
  removeTag: (key: AppKey, tag: TagKey, context: RequestContext) => Promise<void>
  grants: (key: AppKey, context: RequestContext) => Promise<AppGrant[]>
  /**
   * Grants permissions. Throws UserNotFound if the user doesn't exist, or Forbidden if the principal lacks one of the
   * permissions.
   */
  grant: (key: AppKey, grant: AppGrant, context: RequestContext) => Promise<AppGrant>
  /** Revokes permissions. Throws UserNotFound if the user doesn't exist. */
  revoke: (key: AppKey, grant: AppGrant, context: RequestContext) => Promise<AppGrant>
  /** Transfers an app. Throws DescriptiveNameTaken, or any error of `refuseOwner` for the new owner. */
  transfer: (key: AppKey, owner: Owner, context: RequestContext) => Promise<App>
}

export const createAppService = ({ read, write, listApps }: AppStore): AppService => ({
  list: async ({ after, limit, ...filter }, context, options) =>
    await listApps({ ...filter, userId: userIdOf(context) }, { after, limit }, options),

  find: async (key, context) => await read(async ({ apps }) => await requireAuthorized(apps, key, 'read', context)),
  nameFor: async (key, action, context) =>
    (await read(async ({ apps }) => await requireAuthorizedWithDiscarded(apps, key, action, context))).name,
  grants: async (key, context) => await read(async ({ apps }) => await listGrants(apps, key, context)),

  create: async (wanted, context) => await write(async tx => await createApp(tx, wanted, context)),
  copy: async (key, copy, context) => await write(async tx => await copyApp(tx, key, copy, context)),
  update: async (key, change, context) => await write(async tx => await updateApp(tx, key, change, context)),
  discard: async (key, context) => {
    await write(async tx => {
      await discardApp(tx, key, context)
    })
  },
  addTag: async (key, tag, context) => await write(async tx => await addTag(tx, key, tag, context)),
  removeTag: async (key, tag, context) => {
    await write(async tx => {
      await removeTag(tx, key, tag, context)
    })
  },
  grant: async (key, grant, context) => await write(async tx => await grantPermits(tx, key, grant, context)),
  revoke: async (key, grant, context) => await write(async tx => await revokePermits(tx, key, grant, context)),
  transfer: async (key, owner, context) => await write(async tx => await transferApp(tx, key, owner, context))
})
