import type { XStatic } from 'typebox/schema'
import { timestamp, toTimestamp } from '../timestamps.ts'
import { isOutOfRange, RANGE_RULE, textsIn } from '../../domain/json/value.ts'
import { InvalidFields } from '../../domain/errors.ts'
import type { FieldIssue } from '../../domain/field-issue.ts'
import { rangeIssue } from '../../net/addresses.ts'
import type { KeyChange, Metadata, RateLimit } from '../../domain/keys/client-key.ts'
import { KEY_SCOPE, withoutCovered } from '../../domain/keys/policy/scopes.ts'
import { MAX_SCOPE } from '../../domain/services/checks.ts'
import { credentialIssues, refuseCredentials } from '../../domain/keys/token/shape.ts'
import { DEFAULT_GRACE_SECONDS, MAX_GRACE_SECONDS } from '../../domain/keys/lifecycle/tokens.ts'
import { PRINTABLE } from '../../domain/json/printable.ts'
import {
  canonicalMetadata,
  LIKE_AN_ID,
  MAX_METADATA_BYTES,
  MAX_OWNER,
  MAX_REASON,
  MAX_RANGES,
  MAX_WINDOW_SECONDS
} from '../../domain/keys/policy/checks.ts'

const text = { type: 'string', pattern: PRINTABLE } as const

/** The owner of keys in a query or a command. */
export const ownerText = { ...text, maxLength: MAX_OWNER } as const

/** The writable fields of a key. */
export const keyFields = {
  name: {
    ...text,
    minLength: 1,
    maxLength: 100,
    description: 'The name of the key. It is unique among keys that are not revoked.',
    examples: ['billing-sync']
  },
  description: {
    ...text,
    type: ['string', 'null'],
    maxLength: 1000,
    description: 'The purpose of the key.',
    examples: ['Copies invoices to the ledger every hour']
  },
  owner: {
    ...text,
    type: ['string', 'null'],
    maxLength: MAX_OWNER,
    description:
      'Whose key it is: any text that means something to you. The service does not use it, except to find and revoke ' +
      'the keys of one owner.',
    examples: ['customer:4711']
  },
  scopes: {
    type: 'array',
    items: { type: 'string', maxLength: MAX_SCOPE, pattern: KEY_SCOPE },
    minItems: 1,
    maxItems: 100,
    description:
      'The scopes of the key, which determine what it may do. `*` includes all scopes of this API, but no scopes of ' +
      'services. `orders:*` includes all scopes of the service `orders`.',
    examples: [['apps:read']]
  },
  expires_at: {
    ...timestamp,
    type: ['string', 'null'],
    description:
      'When the key expires: a timestamp (RFC 3339), a day (midnight UTC), or a duration from now such as `90d` or ' +
      '`1y`. Null if it never expires.',
    examples: ['2027-01-31T12:00:00.000Z']
  },
  enabled: {
    type: 'boolean',
    description: 'Whether the key is enabled. A disabled key is refused until it is enabled again.',
    examples: [true]
  },
  allowed_ips: {
    type: 'array',
    items: { type: 'string', maxLength: 50 },
    maxItems: MAX_RANGES,
    description: 'The IP addresses and CIDR ranges that the key may be used from. An empty list allows all addresses.',
    examples: [['10.0.0.0/8', '2001:db8::/32']]
  },
  rate_limit: {
    type: ['object', 'null'],
    required: ['max', 'window_seconds'],
    additionalProperties: false,
    properties: {
      max: {
        type: 'integer',
        minimum: 1,
        maximum: 1_000_000_000,
        description: 'The maximum number of requests in each window.',
        examples: [100]
      },
      window_seconds: {
        type: 'integer',
        minimum: 1,
        maximum: MAX_WINDOW_SECONDS,
        description: 'The length of a window in seconds.',
        examples: [60]
      }
    },
    description: "The key's rate limit, which all its tokens share, or null if there is no limit.",
    examples: [{ max: 100, window_seconds: 60 }]
  },
  metadata: {
    type: 'object',
    description: `Any JSON object of at most ${MAX_METADATA_BYTES} bytes. The service stores it, but does not use it.`,
    examples: [{ team: 'finance' }]
  }
} as const

export const NewKeyBody = {
  type: 'object',
  required: ['name'],
  additionalProperties: false,
  properties: keyFields,
  // If this example is sent unchanged, the new key can be used from any address and expires after a day.
  examples: [
    {
      name: 'tried-in-the-docs',
      description: 'Created to try out the API',
      scopes: ['apps:read'],
      expires_at: '1d',
      rate_limit: { max: 100, window_seconds: 60 }
    }
  ]
} as const

export const ChangeKeyBody = {
  type: 'object',
  additionalProperties: false,
  properties: keyFields,
  // The example contains no change that could lock anyone out.
  examples: [{ description: 'Copies invoices to the ledger every hour', expires_at: '90d' }]
} as const

export const RotateBody = {
  type: 'object',
  additionalProperties: false,
  properties: {
    grace_seconds: {
      type: 'integer',
      minimum: 0,
      maximum: MAX_GRACE_SECONDS,
      description:
        `How long the older tokens stay active, in seconds. The default is ${DEFAULT_GRACE_SECONDS}. 0 revokes ` +
        'them immediately.',
      examples: [DEFAULT_GRACE_SECONDS]
    }
  }
} as const

export const RevokeBody = {
  type: 'object',
  additionalProperties: false,
  properties: {
    reason: {
      ...text,
      type: ['string', 'null'],
      maxLength: MAX_REASON,
      description: 'The reason for the revocation. The audit trail keeps it permanently.'
    }
  }
} as const

type Written = XStatic<typeof ChangeKeyBody>

/**
 * Converts a validated body to a key change. Durations are relative to `now`, in milliseconds since 1970. Throws
 * InvalidFields for issues that a schema can't express.
 */
export const toKeyChange = (body: Written, now: number): KeyChange => {
  const expiresAt = toTimestamp('expires_at', body.expires_at ?? undefined, 'ahead', now) ?? null
  const metadata = toMetadata(body.metadata)
  const issues = [
    ...(body.allowed_ips ?? []).flatMap((range, index) => issue(['allowed_ips', String(index)], rangeIssue(range))),
    ...(body.name !== undefined && LIKE_AN_ID.test(body.name)
      ? issue(['name'], 'must not look like the id of a key, and must not be -')
      : []),
    ...issue(['metadata'], metadata.issue),
    ...credentialIssues({
      name: body.name,
      description: body.description,
      owner: body.owner,
      // Checks the strings instead of the JSON text, because escape sequences in JSON could hide a credential.
      metadata: textsIn(body.metadata).join('\n')
    })
  ]
  if (issues.length > 0) throw new InvalidFields({ issues })
  const { name, description, owner, enabled, scopes } = body
  return {
    ...(name === undefined ? {} : { name }),
    ...(description === undefined ? {} : { description }),
    ...(owner === undefined ? {} : { owner }),
    ...(enabled === undefined ? {} : { enabled }),
    ...(scopes === undefined ? {} : { scopes: withoutCovered(scopes) }),
    ...(body.expires_at === undefined ? {} : { expiresAt }),
    ...(body.allowed_ips === undefined ? {} : { allowedIps: [...new Set(body.allowed_ips)] }),
    ...(body.rate_limit === undefined ? {} : { rateLimit: toRateLimit(body.rate_limit) }),
    ...(body.metadata === undefined ? {} : { metadata: metadata.value })
  }
}

const toRateLimit = (limit: { max: number; window_seconds: number } | null): RateLimit | null =>
  limit === null ? null : { max: limit.max, windowSeconds: limit.window_seconds }

/** Returns the reason for a revocation. Throws InvalidFields if it contains a credential. */
export const toReason = ({ reason = null }: Pick<XStatic<typeof RevokeBody>, 'reason'>): string | null => {
  refuseCredentials({ reason })
  return reason
}

/** Returns metadata in its canonical form, or an issue. Checks the length before anything that takes longer. */
const toMetadata = (metadata: object = {}): { value: Metadata; issue: string | null } => {
  if (isOutOfRange(metadata)) return { value: {}, issue: RANGE_RULE }
  return Buffer.byteLength(JSON.stringify(metadata)) > MAX_METADATA_BYTES
    ? { value: {}, issue: `must have at most ${MAX_METADATA_BYTES} bytes` }
    : { value: canonicalMetadata(metadata), issue: null }
}

const issue = (path: readonly string[], found: string | null): FieldIssue[] =>
  found === null ? [] : [{ path, detail: `${path.join('.')} ${found}` }]
