import { InvalidFields } from '../errors.ts'
import { OWNER } from '../json/validation.ts'
import type { Owner } from './app.ts'

/**
 * What becomes of the apps of an owner who is removed: they get another owner, or are deleted with this one. Null: not
 * decided, so an owner of apps is not removed.
 */
export type AppsDisposal = Owner | 'delete' | null

/** The new owner of the apps; null: they get none. */
export const newOwnerIn = (disposal: AppsDisposal): Owner | null => (disposal === 'delete' ? null : disposal)

/** How the removal of an owner says what becomes of the apps. */
export const AppsDisposalQuery = {
  type: 'object',
  properties: {
    transfer_to: {
      type: 'string',
      pattern: OWNER,
      description: 'Who gets the apps: `User:` or `Organization:` and an id.'
    },
    apps: {
      type: 'string',
      enum: ['delete'],
      description: '`delete` deletes the apps too, permanently, with their tags and grants.'
    }
  }
} as const

/** What such a query says. Throws InvalidFields if it says two things. */
export const toAppsDisposal = ({
  transfer_to: text,
  apps
}: {
  readonly transfer_to?: string
  readonly apps?: 'delete'
}): AppsDisposal => {
  if (text === undefined) return apps ?? null
  if (apps !== undefined) {
    throw new InvalidFields([
      'transfer_to and apps can not be sent together: the apps are either transferred or deleted'
    ])
  }
  const [type, id] = text.split(':')
  return { type: type === 'User' ? 'User' : 'Organization', id: Number(id) }
}

/** What a path calls an app by: its name of 14 hexadecimal digits, or else its id. */
export const toAppKey = (text: string): string | number => (/^[1-9]\d{0,12}$/.test(text) ? Number(text) : text)
