import { toReceiptJson } from './receipts.ts'
import type { ChangedKey } from '../../domain/keys/freshness/receipt.ts'
import type { ClientKey, ClientKeyRecord, TokenRecord } from '../../domain/keys/client-key.ts'
import { keyFields } from './key-fields.ts'

const instant = (description: string) =>
  ({ type: 'string', format: 'date-time', description, examples: ['2026-01-05T09:00:00.000Z'] }) as const
const instantOrNull = (description: string) => ({ ...instant(description), type: ['string', 'null'] }) as const
const textOrNull = (description: string, example: string) =>
  ({ type: ['string', 'null'], description, examples: [example] }) as const

const {
  name,
  description,
  scopes,
  expires_at: expiresAt,
  enabled,
  allowed_ips: allowedIps,
  rate_limit: rateLimit,
  metadata
} = keyFields

export const ActorJson = {
  $id: 'Actor',
  type: 'object',
  required: ['kind', 'id', 'name'],
  properties: {
    kind: {
      type: 'string',
      description: '`client_key`, `user`, or `cli` for the operator at the command line of the service.',
      examples: ['client_key']
    },
    id: {
      type: 'string',
      description: 'The id of the key, of the user, or, for `cli`, of the user of the operating system.',
      examples: ['0190d2a4-7c1e-7b3a-9f60-2f1c8f1f0a11']
    },
    name: {
      type: 'string',
      description: 'The name of the key, of the user, or, for `cli`, of the user of the operating system.',
      examples: ['billing-sync']
    }
  }
} as const

const keyProperties = {
  id: {
    type: 'string',
    description: 'A UUIDv7, or `env_` and 16 hexadecimal digits for an environment key.',
    examples: ['0190d2a4-7c1e-7b3a-9f60-2f1c8f1f0a11']
  },
  name,
  description,
  source: {
    type: 'string',
    enum: ['managed', 'environment'],
    description: 'What allows the key: a row in the database, or an entry of `CLIENT_KEYS`.',
    examples: ['managed']
  },
  scopes,
  expires_at: {
    ...instantOrNull('The instant from which the key is refused; null: never.'),
    examples: expiresAt.examples
  },
  enabled,
  allowed_ips: allowedIps,
  rate_limit: {
    type: ['object', 'null'],
    required: rateLimit.required,
    properties: rateLimit.properties,
    description: rateLimit.description,
    examples: rateLimit.examples
  },
  metadata,
  created_at: instantOrNull('Null for an environment key.'),
  created_by: {
    oneOf: [{ $ref: 'Actor#' }, { type: 'null' }],
    description: 'Who issued the key; null for an environment key.'
  },
  revoked_at: instantOrNull('When the key was revoked, for good; null: it was not.'),
  revoked_reason: textOrNull('Why, where a reason was given.', 'The laptop was stolen'),
  last_used_at: instantOrNull('When a request with a token of the key was last accepted, up to a second ago.')
} as const

export const ClientKeyJson = {
  $id: 'ClientKey',
  type: 'object',
  required: Object.keys(keyProperties),
  properties: keyProperties
}

export const TokenRecordJson = {
  $id: 'ClientKeyToken',
  type: 'object',
  required: [
    'hint',
    'generation',
    'created_at',
    'expires_at',
    'revoked_at',
    'last_used_at',
    'last_used_ip',
    'last_used_agent',
    'use_count'
  ],
  properties: {
    hint: textOrNull('The last 4 characters of the token; null for the tokens of environment keys.', 'x7Qa'),
    generation: { type: 'string', description: 'Which `CLIENT_SECRET` sealed it.', examples: ['9f86d081'] },
    created_at: instantOrNull('Null for the tokens of environment keys.'),
    expires_at: instantOrNull('When the token expires, where it was rotated out.'),
    revoked_at: instantOrNull('When the token was revoked by itself.'),
    last_used_at: instantOrNull('When a request with it was last accepted.'),
    last_used_ip: textOrNull('From where.', '10.0.0.5'),
    last_used_agent: textOrNull('By which User-Agent.', 'billing-sync/2.1'),
    use_count: { type: 'integer', description: 'How many requests with it were accepted.', examples: [42] }
  }
} as const

const tokens = {
  type: 'array',
  items: { $ref: 'ClientKeyToken#' },
  description: 'The newest hundred tokens, the newest first.'
} as const

export const ClientKeyWithTokensJson = {
  $id: 'ClientKeyWithTokens',
  type: 'object',
  required: [...Object.keys(keyProperties), 'tokens'],
  properties: { ...keyProperties, tokens }
}

const secrets = {
  key_id: {
    type: 'string',
    description: 'Secret, and never shown again: 32 hexadecimal digits.',
    examples: ['<32 hexadecimal digits>']
  },
  key_access_token: {
    type: 'string',
    description: 'The Bearer token. Secret, and never shown again.',
    examples: ['tck_<72 letters and digits>']
  }
} as const

export const IssuedKeyJson = {
  $id: 'IssuedClientKey',
  type: 'object',
  required: [...Object.keys(keyProperties), ...Object.keys(secrets)],
  properties: { ...keyProperties, ...secrets }
}

const receipt = {
  anyOf: [{ $ref: 'Receipt#' }, { type: 'null' }],
  description: 'What is known of who obeys the change; null where the database was lost before that could be told.'
} as const

export const ChangedKeyJson = {
  $id: 'ChangedClientKey',
  type: 'object',
  required: [...Object.keys(keyProperties), 'receipt'],
  properties: { ...keyProperties, receipt }
}

export const RotatedKeyJson = {
  $id: 'RotatedClientKey',
  type: 'object',
  required: [...Object.keys(keyProperties), ...Object.keys(secrets), 'older_tokens', 'receipt'],
  properties: {
    ...keyProperties,
    ...secrets,
    receipt,
    older_tokens: {
      ...tokens,
      description: 'The other tokens of the key: until when each is active, when it was last used and from where.'
    }
  }
}

const policyNames = ['id', 'name', 'source', 'scopes', 'expires_at', 'enabled', 'allowed_ips', 'rate_limit'] as const

export const PolicyJson = {
  $id: 'ClientKeyPolicy',
  type: 'object',
  required: policyNames,
  properties: Object.fromEntries(policyNames.map(property => [property, keyProperties[property]]))
}

/** What a key is and may do. */
export const toPolicyJson = (key: ClientKey) => ({
  id: key.id,
  name: key.name,
  source: key.source,
  scopes: key.scopes,
  expires_at: key.expiresAt,
  enabled: key.enabled,
  allowed_ips: key.allowedIps,
  rate_limit: key.rateLimit === null ? null : { max: key.rateLimit.max, window_seconds: key.rateLimit.windowSeconds }
})

/** A key as JSON has it. Dates are written in ISO 8601, UTC, with milliseconds. */
export const toKeyJson = (key: ClientKeyRecord) => ({
  ...toPolicyJson(key),
  description: key.description,
  metadata: JSON.parse(key.metadata) as object,
  created_at: key.createdAt,
  created_by: key.createdBy,
  revoked_at: key.revokedAt,
  revoked_reason: key.revokedReason,
  last_used_at: key.lastUsedAt
})

/** A key that was changed, as JSON has it. */
export const toChangedJson = ({ key, receipt }: ChangedKey) => ({
  ...toKeyJson(key),
  receipt: receipt === null ? null : toReceiptJson(receipt)
})

export const toTokenJson = (token: TokenRecord) => ({
  hint: token.hint,
  generation: token.generation,
  created_at: token.createdAt,
  expires_at: token.expiresAt,
  revoked_at: token.revokedAt,
  last_used_at: token.lastUsedAt,
  last_used_ip: token.lastUsedIp,
  last_used_agent: token.lastUsedAgent,
  use_count: token.useCount
})
