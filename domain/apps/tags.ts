import type { RequestContext } from '../access/principal.ts'
import { creation } from '../audits/audit.ts'
import { TagNotFound, TooManyTags } from '../errors.ts'
import type { Tag, TagKey } from './app.ts'
import { findAuthorized, requireAuthorized } from './authorization.ts'
import { auditApp } from './changes.ts'
import type { AppTx } from './changes.ts'
import type { AppKey } from './rows.ts'

/**
 * The maximum number of tags per app. Lists of apps contain all tags of each app, so the number of tags must be
 * limited.
 */
const MAX_TAGS = 1000

/** Adds a tag, unless the app already has it. */
export const addTag = async (
  tx: AppTx,
  key: AppKey,
  wanted: TagKey,
  context: RequestContext
): Promise<{ tag: Tag; added: boolean }> => {
  const { id, name } = await requireAuthorized(tx.apps, key, 'update', context)
  const known = await tx.apps.findTag(id, wanted)
  if (known !== null) return { tag: known, added: false }
  if ((await tx.apps.countTags(id)) >= MAX_TAGS) throw new TooManyTags()
  const tag = await tx.apps.insertTag(id, wanted)
  await auditApp(tx, 'add_tag', name, { at: tx.now(), context, changes: creation({ tag: wanted }) })
  return { tag, added: true }
}

export const removeTag = async (tx: AppTx, key: AppKey, tag: TagKey, context: RequestContext): Promise<void> => {
  const app = await findAuthorized(tx.apps, key, 'update', context)
  if (app === null || !(await tx.apps.removeTag(app.id, tag))) throw new TagNotFound()
  await auditApp(tx, 'remove_tag', app.name, { at: tx.now(), context, changes: { tag: { from: tag, to: null } } })
}
