import type { XStatic } from 'typebox/schema'
import { PRINTABLE } from '../../domain/json/printable.ts'
import { MAX_SCOPE, MAX_SCOPES } from '../../domain/services/checks.ts'
import type { ChangedService } from '../../domain/services/registry.ts'
import type { Service, ServiceChange, ServiceScope } from '../../domain/services/service.ts'
import { toReceiptJson } from './receipts.ts'

const textOrNull = { type: ['string', 'null'], pattern: PRINTABLE } as const

export const serviceName = {
  type: 'string',
  maxLength: 41,
  description: 'The name of the service: 2 to 41 lowercase letters, digits and hyphens. It can never be changed.',
  examples: ['orders']
} as const

const scope = {
  type: 'object',
  required: ['name'],
  additionalProperties: false,
  properties: {
    name: {
      type: 'string',
      maxLength: MAX_SCOPE,
      description: 'The name of the service, a colon, and lowercase letters, digits, `_`, `.`, `-` and colons.',
      examples: ['orders:read']
    },
    description: {
      ...textOrNull,
      maxLength: 1000,
      description: 'What keys with the scope may do.',
      examples: ['Read orders']
    }
  }
} as const

const changeableFields = {
  description: {
    ...textOrNull,
    maxLength: 1000,
    description: 'The purpose of the service.',
    examples: ['Takes orders from the shops']
  },
  audience: {
    ...textOrNull,
    maxLength: 255,
    description: 'What identifies the service in tokens and replies of introspection, usually its URI.',
    examples: ['https://orders.example.com']
  },
  scopes: {
    type: 'array',
    items: scope,
    maxItems: MAX_SCOPES,
    description: 'The scopes of the service. Keys can have any of them, or all of them, such as `orders:*`.',
    examples: [[{ name: 'orders:read', description: 'Read orders' }]]
  }
} as const

export const NewServiceBody = {
  type: 'object',
  required: ['name'],
  additionalProperties: false,
  properties: { name: serviceName, ...changeableFields },
  // No key has scopes of the new service.
  examples: [
    {
      name: 'tried-in-the-docs',
      description: 'Created to try out the API',
      scopes: [{ name: 'tried-in-the-docs:read', description: 'Read' }]
    }
  ]
} as const

export const ChangeServiceBody = {
  type: 'object',
  additionalProperties: false,
  properties: changeableFields,
  examples: [{ description: 'Takes orders from the shops' }]
} as const

export const ForceQuery = {
  type: 'object',
  additionalProperties: false,
  properties: {
    force: {
      type: 'boolean',
      description: 'Whether to take the removed scopes from the client keys that have them.'
    }
  }
} as const

const timestamp = (description: string) =>
  ({ type: 'string', format: 'date-time', description, examples: ['2026-01-05T09:00:00.000Z'] }) as const

const properties = {
  name: serviceName,
  ...changeableFields,
  created_at: timestamp('When the service was created.'),
  updated_at: timestamp('When the service was last changed.')
} as const

export const ServiceJson = {
  $id: 'Service',
  type: 'object',
  required: Object.keys(properties),
  properties
}

const changed = {
  changed_keys: { type: 'integer', description: 'The number of client keys that lost scopes.', examples: [0] },
  receipt: {
    anyOf: [{ $ref: 'Receipt#' }, { type: 'null' }],
    description:
      'The receipt of the change, or null if the database became unavailable before every node had confirmed it.'
  }
} as const

export const ChangedServiceJson = {
  $id: 'ChangedService',
  type: 'object',
  required: [...Object.keys(properties), ...Object.keys(changed)],
  properties: { ...properties, ...changed }
}

/** Returns the fields of a body that has been validated against its schema. */
export const toServiceChange = ({
  description,
  audience,
  scopes
}: XStatic<typeof ChangeServiceBody>): ServiceChange => ({
  ...(description === undefined ? {} : { description }),
  ...(audience === undefined ? {} : { audience }),
  ...(scopes === undefined ? {} : { scopes: scopes.map(toScope) })
})

const toScope = ({ name, description = null }: XStatic<typeof scope>): ServiceScope => ({ name, description })

export const toServiceJson = ({ createdAt, updatedAt, ...service }: Service) => ({
  ...service,
  created_at: createdAt,
  updated_at: updatedAt
})

/** Returns a changed or removed service as JSON, with the receipt of the change. */
export const toChangedServiceJson = ({ service, keys, receipt }: ChangedService) => ({
  ...toServiceJson(service),
  changed_keys: keys,
  receipt: receipt === null ? null : toReceiptJson(receipt)
})
