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

/** What is listed: the apps that pass the filter, and which of them. */
export interface AppQuery extends AppRange, Omit<AppFilter, 'userId'> {}

/**
 * The apps, and what may be done with them by whom: see `mayDo`. A client key and the operator override what users may
 * do. An app that the principal may not see is AppNotFound, like one that is not there or is discarded; where it may be
 * seen, but this may not be done to it, that is Forbidden. Each change is one transaction with its audit entry.
 */
export interface AppService {
  /** Lists the apps that the principal may read. */
  list: (query: AppQuery, context: RequestContext, options?: ReadOptions) => Promise<AppPage>
  find: (key: AppKey, context: RequestContext) => Promise<App>
  /** The name of an app, discarded or not, to which the principal may do something. */
  nameFor: (key: AppKey, action: AppAction, context: RequestContext) => Promise<string>
  /** Throws Forbidden and OwnerNotFound for the owner, DescriptiveNameTaken and NoPortLeft. */
  create: (wanted: WantedApp, context: RequestContext) => Promise<App>
  /** Throws Forbidden where the principal may make no app for the owner, DescriptiveNameTaken and NoPortLeft. */
  copy: (key: AppKey, copy: Pick<NewApp, 'descriptiveName'>, context: RequestContext) => Promise<App>
  /** Throws DescriptiveNameTaken. */
  update: (key: AppKey, change: AppChange, context: RequestContext) => Promise<App>
  discard: (key: AppKey, context: RequestContext) => Promise<void>
  /** Throws TooManyTags beyond a thousand. */
  addTag: (key: AppKey, tag: TagKey, context: RequestContext) => Promise<{ tag: Tag; added: boolean }>
  /** Throws TagNotFound, also where there is no such app. */
  removeTag: (key: AppKey, tag: TagKey, context: RequestContext) => Promise<void>
  grants: (key: AppKey, context: RequestContext) => Promise<AppGrant[]>
  /** Throws UserNotFound, and Forbidden for a permit of what the principal may not do. */
  grant: (key: AppKey, grant: AppGrant, context: RequestContext) => Promise<AppGrant>
  /** Throws UserNotFound. */
  revoke: (key: AppKey, grant: AppGrant, context: RequestContext) => Promise<AppGrant>
  /** Throws Forbidden and OwnerNotFound for the owner, and DescriptiveNameTaken. */
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
