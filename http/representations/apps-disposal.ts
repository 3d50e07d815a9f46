import { InvalidFields } from '../../domain/errors.ts'
import { OWNER } from '../validation-issues.ts'
import type { AppsDisposal } from '../../domain/apps/disposal.ts'

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
    const detail = 'transfer_to and apps can not be sent together: the apps are either transferred or deleted'
    throw new InvalidFields({ issues: ['transfer_to', 'apps'].map(name => ({ path: [name], detail })) })
  }
  const [type, id] = text.split(':')
  return { type: type === 'User' ? 'User' : 'Organization', id: Number(id) }
}
