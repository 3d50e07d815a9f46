import type { Owner } from './app.ts'

/**
 * What becomes of the apps of an owner who is removed: they get another owner, or are deleted with this one. Null: not
 * decided, so an owner of apps is not removed.
 */
export type AppsDisposal = Owner | 'delete' | null

/** The new owner of the apps; null: they get none. */
export const newOwnerIn = (disposal: AppsDisposal): Owner | null => (disposal === 'delete' ? null : disposal)
