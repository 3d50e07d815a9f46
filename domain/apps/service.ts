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

/** Specifies which apps to list, and which part of the list. */
export interface AppQuery extends AppRange, Omit<AppFilter, 'userId'> {}

/**
 * The operations on apps. `mayDo` defines the rules for users; client keys and the operator bypass them. Functions
 * throw AppNotFound if the app doesn't exist, is discarded, or may not be seen by the principal. They throw Forbidden
 * if the principal may see the app, but may not perform the action. Each change is one transaction, which includes its
 * audit entry.
 */
export interface AppService {
  /** Lists the apps that the principal may read. */
  list: (query: AppQuery, context: RequestContext, options?: ReadOptions) => Promise<AppPage>
  find: (key: AppKey, context: RequestContext) => Promise<App>
  /** Returns the name of an app, discarded or not. Throws if the principal may not perform the action on it. */
  nameFor: (key: AppKey, action: AppAction, context: RequestContext) => Promise<string>
  /** Creates an app. Throws Forbidden or OwnerNotFound because of the owner, DescriptiveNameTaken, or NoPortLeft. */
  create: (wanted: WantedApp, context: RequestContext) => Promise<App>
  /**
   * Copies an app. Throws Forbidden if the principal may not create apps for its owner, DescriptiveNameTaken, or
   * NoPortLeft.
   */
  copy: (key: AppKey, copy: Pick<NewApp, 'descriptiveName'>, context: RequestContext) => Promise<App>
  /** Changes an app. Throws DescriptiveNameTaken. */
  update: (key: AppKey, change: AppChange, context: RequestContext) => Promise<App>
  discard: (key: AppKey, context: RequestContext) => Promise<void>
  /** Adds a tag, unless the app has it already. Throws TooManyTags if the app has a thousand tags. */
  addTag: (key: AppKey, tag: TagKey, context: RequestContext) => Promise<{ tag: Tag; added: boolean }>
  /** Removes a tag. Throws TagNotFound, even if the app doesn't exist. */
  removeTag: (key: AppKey, tag: TagKey, context: RequestContext) => Promise<void>
  grants: (key: AppKey, context: RequestContext) => Promise<AppGrant[]>
  /** Grants permissions. Throws UserNotFound, or Forbidden if the principal lacks one of the permissions. */
  grant: (key: AppKey, grant: AppGrant, context: RequestContext) => Promise<AppGrant>
  /** Revokes permissions. Throws UserNotFound. */
  revoke: (key: AppKey, grant: AppGrant, context: RequestContext) => Promise<AppGrant>
  /** Transfers an app. Throws Forbidden or OwnerNotFound because of the new owner, or DescriptiveNameTaken. */
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
