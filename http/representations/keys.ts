import { receiptOrNull, toReceiptOrNull } from './receipts.ts'
import type { ChangedKey } from '../../domain/keys/freshness/receipt.ts'
import type { ClientKey, ClientKeyRecord, TokenRecord } from '../../domain/keys/client-key.ts'
import { keyFields } from './key-fields.ts'

const timestamp = (description: string) =>
  ({ type: 'string', format: 'date-time', description, examples: ['2026-01-05T09:00:00.000Z'] }) as const
const timestampOrNull = (description: string) => ({ ...timestamp(description), type: ['string', 'null'] }) as const
const textOrNull = (description: string, example: string) =>
  ({ type: ['string', 'null'], description, examples: [example] }) as const

const {
  name,
  description,
  owner,
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
      description: 'The kind of the actor: `client_key`, `user`, or `cli` for the command line of the service.',
      examples: ['client_key']
    },
    id: {
      type: 'string',
      description: "The id of the client key or user. For `cli`, the id of the operating system's user.",
      examples: ['0190d2a4-7c1e-7b3a-9f60-2f1c8f1f0a11']
    },
    name: {
      type: 'string',
      description: "The name of the client key or user. For `cli`, the name of the operating system's user.",
      examples: ['billing-sync']
    }
  }
} as const

const keyProperties = {
  id: {
    type: 'string',
    description: 'The id of the key: a UUIDv7, or `env_` and 16 hexadecimal digits for an environment key.',
    examples: ['0190d2a4-7c1e-7b3a-9f60-2f1c8f1f0a11']
  },
  name,
  description,
  owner,
  source: {
    type: 'string',
    enum: ['managed', 'environment'],
    description: 'Whether the key is stored in the database (`managed`) or listed in `CLIENT_KEYS` (`environment`).',
    examples: ['managed']
  },
  // A key has no scopes if the service that defined them was removed.
  scopes: { type: 'array', items: scopes.items, description: scopes.description, examples: scopes.examples },
  expires_at: {
    ...timestampOrNull('When the key expires, or null if it never does.'),
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
  created_at: timestampOrNull('When the key was issued, or null for an environment key.'),
  created_by: {
    oneOf: [{ $ref: 'Actor#' }, { type: 'null' }],
    description: 'The actor who issued the key, or null for an environment key.'
  },
  revoked_at: timestampOrNull('When the key was permanently revoked, or null if it has not been.'),
  revoked_reason: textOrNull('The reason for the revocation, or null if there is none.', 'The laptop was stolen'),
  last_used_at: timestampOrNull(
    'When a request with the key was last accepted, or null if none has been. May be up to a second out of date.'
  )
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
    hint: textOrNull('The last 4 characters of the token, or null for the tokens of environment keys.', 'x7Qa'),
    generation: {
      type: 'string',
      description: 'The generation of the `CLIENT_SECRET` that sealed the token.',
      examples: ['9f86d081']
    },
    created_at: timestampOrNull('When the token was created, or null for the tokens of environment keys.'),
    expires_at: timestampOrNull('When the token expires because of a rotation, or null if it does not expire.'),
    revoked_at: timestampOrNull('When the token was revoked separately from its key, or null if it has not been.'),
    last_used_at: timestampOrNull('When a request with the token was last accepted, or null if none has been.'),
    last_used_ip: textOrNull(
      'The IP address from which the token was last used, or null if it has not been used.',
      '10.0.0.5'
    ),
    last_used_agent: textOrNull(
      'The User-Agent with which the token was last used, or null if it has not been used.',
      'billing-sync/2.1'
    ),
    use_count: { type: 'integer', description: 'The number of accepted requests with the token.', examples: [42] }
  }
} as const

const tokens = {
  type: 'array',
  items: { $ref: 'ClientKeyToken#' },
  description: 'The newest 100 tokens, newest first.'
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
    description: 'The secret id inside the token: 32 hexadecimal digits. It is never shown again.',
    examples: ['<32 hexadecimal digits>']
  },
  key_access_token: {
    type: 'string',
    description: 'The Bearer token to send with requests. It is secret, and never shown again.',
    examples: ['tck_<72 letters and digits>']
  }
} as const

export const IssuedKeyJson = {
  $id: 'IssuedClientKey',
  type: 'object',
  required: [...Object.keys(keyProperties), ...Object.keys(secrets)],
  properties: { ...keyProperties, ...secrets }
}

export const ChangedKeyJson = {
  $id: 'ChangedClientKey',
  type: 'object',
  required: [...Object.keys(keyProperties), 'receipt'],
  properties: { ...keyProperties, receipt: receiptOrNull }
}

export const RotatedKeyJson = {
  $id: 'RotatedClientKey',
  type: 'object',
  required: [...Object.keys(keyProperties), ...Object.keys(secrets), 'older_tokens', 'receipt'],
  properties: {
    ...keyProperties,
    ...secrets,
    receipt: receiptOrNull,
    older_tokens: {
      ...tokens,
      description: "The key's other tokens, with their expiry and the time and IP address of their last use."
    }
  }
}

const policyNames = [
  'id',
  'name',
  'owner',
  'source',
  'scopes',
  'expires_at',
  'enabled',
  'allowed_ips',
  'rate_limit'
] as const

export const PolicyJson = {
  $id: 'ClientKeyPolicy',
  type: 'object',
  required: policyNames,
  properties: Object.fromEntries(policyNames.map(property => [property, keyProperties[property]]))
}

/** Returns a key's identity and policy as JSON. */
export const toPolicyJson = (key: ClientKey) => ({
  id: key.id,
  name: key.name,
  owner: key.owner,
  source: key.source,
  scopes: key.scopes,
  expires_at: key.expiresAt,
  enabled: key.enabled,
  allowed_ips: key.allowedIps,
  rate_limit: key.rateLimit === null ? null : { max: key.rateLimit.max, window_seconds: key.rateLimit.windowSeconds }
})

/** Returns a key as JSON. JSON.stringify serializes the dates in ISO 8601, in UTC, with milliseconds. */
export const toKeyJson = (key: ClientKeyRecord) => ({
  ...toPolicyJson(key),
  description: key.description,
  metadata: key.metadata,
  created_at: key.createdAt,
  created_by: key.createdBy,
  revoked_at: key.revokedAt,
  revoked_reason: key.revokedReason,
  last_used_at: key.lastUsedAt
})

/** Returns a changed key as JSON, with the receipt of the change. */
export const toChangedJson = ({ key, receipt }: ChangedKey) => ({
  ...toKeyJson(key),
  receipt: toReceiptOrNull(receipt)
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
