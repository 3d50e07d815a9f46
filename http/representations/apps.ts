import { createTimestampWriter } from './timestamp-text.ts'
import type { App } from '../../domain/apps/app.ts'

const timestamp = { type: 'string', format: 'date-time', examples: ['2026-01-05T09:00:00.000Z'] } as const

/** The response that Trivial's own clients expect to a change that doesn't return a resource. */
export const MessageJson = {
  $id: 'Message',
  type: 'object',
  required: ['message'],
  properties: {
    message: { type: 'string', description: 'A confirmation of what was done.', examples: ['Transfer Ownership OK'] }
  }
} as const

export const TagJson = {
  $id: 'Tag',
  type: 'object',
  required: ['id', 'context', 'name'],
  properties: {
    id: { type: 'integer', examples: [7] },
    context: { type: 'string', description: 'The category of the tag.', examples: ['department'] },
    name: { type: 'string', description: 'The name of the tag within its context.', examples: ['finance'] }
  }
} as const

const properties = {
  id: { type: 'integer', examples: [1] },
  user_id: {
    type: ['integer', 'null'],
    description: 'The id of the user who owns the app, or null if an organization owns it.',
    examples: [1]
  },
  name: {
    type: 'string',
    description: 'The unique name of the app, which is also its host name: 14 hexadecimal digits.',
    pattern: '^[0-9a-f]{14}$',
    examples: ['ba6811fb3e073d']
  },
  descriptive_name: {
    type: 'string',
    description: "The display name of the app. It is unique among the owner's apps that are not deleted.",
    examples: ['Invoice Sync']
  },
  hostname: { type: 'string', description: 'The same value as `name`.', examples: ['ba6811fb3e073d'] },
  domain: {
    type: 'string',
    description: 'The host in the configured `BASE_URL`.',
    examples: ['staging.trivialapps.io']
  },
  load_balancer: { type: 'string', description: 'The configured `DEFAULT_LOAD_BALANCER`.', examples: ['staging-lb'] },
  port: {
    type: 'integer',
    description: 'A port from 3001 to 65535, unique among the apps that are not deleted.',
    minimum: 3001,
    examples: [3001]
  },
  panels: {
    type: ['object', 'null'],
    description: 'Any JSON object. Its numbers have double precision.',
    examples: [{ component: 'Dashboard', options: { apps: [] } }]
  },
  readable_by: {
    type: ['string', 'null'],
    description: 'If this is `public`, every signed-in user may read the app.',
    examples: ['public']
  },
  schedule: {
    type: ['object', 'null'],
    description: 'Any JSON object. Its numbers have double precision.',
    examples: [{ every: 'hour' }]
  },
  owner_type: { type: 'string', enum: ['User', 'Organization'], examples: ['User'] },
  owner_id: { type: 'integer', examples: [1] },
  tags: { type: 'array', items: { $ref: 'Tag#' } },
  created_at: timestamp,
  updated_at: timestamp,
  discarded_at: {
    ...timestamp,
    type: ['string', 'null'],
    examples: [null],
    description: 'When the app was deleted, or null if it has not been.'
  }
} as const

/** An app in the API. Its fields are written in this order. */
export const AppJson = { $id: 'App', type: 'object', required: Object.keys(properties), properties } as const

/** The hosting settings, which are the same for every app of a service. */
export interface Hosting {
  readonly domain: string
  readonly loadBalancer: string
}

/** Serializes an app as JSON. */
export type WriteApp = (app: App) => string

/**
 * Creates a function that serializes apps. It concatenates strings, because most of an app is already JSON text: the
 * panels, schedule and tags are never parsed between the database and the socket.
 */
export const createAppWriter = ({ domain, loadBalancer }: Hosting): WriteApp => {
  const toText = createTimestampWriter()
  const hosting = `"domain":${JSON.stringify(domain)},"load_balancer":${JSON.stringify(loadBalancer)}`

  // The fields are in the order of `properties`. They're written out in one template literal, because a loop over the
  // names would take twice as long.
  return app => {
    const { type, id } = app.owner
    const userId = type === 'User' ? id : 'null'
    const discardedAt = app.discardedAt === null ? 'null' : `"${toText(app.discardedAt)}"`
    return (
      `{"id":${app.id},"user_id":${userId},"name":"${app.name}",` +
      `"descriptive_name":${JSON.stringify(app.descriptiveName)},"hostname":"${app.name}",` +
      `${hosting},"port":${app.port},"panels":${app.panels ?? 'null'},` +
      `"readable_by":${JSON.stringify(app.readableBy)},"schedule":${app.schedule ?? 'null'},` +
      `"owner_type":"${type}","owner_id":${id},"tags":${app.tags},"created_at":"${toText(app.createdAt)}",` +
      `"updated_at":"${toText(app.updatedAt)}","discarded_at":${discardedAt}}`
    )
  }
}
