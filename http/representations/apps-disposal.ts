import { InvalidFields } from '../../domain/errors.ts'
import { OWNER } from '../validation-issues.ts'
import type { AppsDisposal } from '../../domain/apps/disposal.ts'

/** The query parameters that specify what happens to a deleted owner's apps. */
export const AppsDisposalQuery = {
  type: 'object',
  properties: {
    transfer_to: {
      type: 'string',
      pattern: OWNER,
      description: 'The new owner of the apps: `User:` or `Organization:`, followed by an id.'
    },
    apps: {
      type: 'string',
      enum: ['delete'],
      description: '`delete` deletes the apps permanently, with their tags and grants.'
    }
  }
} as const

/** Returns what the query specifies for the apps. Throws InvalidFields if both parameters were sent. */
export const toAppsDisposal = ({
  transfer_to: text,
  apps
}: {
  readonly transfer_to?: string
  readonly apps?: 'delete'
}): AppsDisposal => {
  if (text === undefined) return apps ?? null
  if (apps !== undefined) {
    const detail = 'transfer_to and apps cannot be sent together: the apps can be transferred or deleted, but not both'
    throw new InvalidFields({ issues: ['transfer_to', 'apps'].map(name => ({ path: [name], detail })) })
  }
  const [type, id] = text.split(':')
  return { type: type === 'User' ? 'User' : 'Organization', id: Number(id) }
}
