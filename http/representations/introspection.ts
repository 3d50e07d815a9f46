import type { ActiveToken, InactiveToken, Introspected } from '../../domain/introspection/introspection.ts'

const text = (description: string, example: string) => ({ type: 'string', description, examples: [example] }) as const
const seconds = (description: string, example: number) =>
  ({ type: 'integer', description, examples: [example] }) as const

export const IntrospectionJson = {
  $id: 'Introspection',
  type: 'object',
  required: ['active'],
  properties: {
    active: {
      type: 'boolean',
      description:
        'Whether the token is active. If it is not, the object has no other members, except those that an entry of a ' +
        'batch requested.',
      examples: [false]
    },
    error: {
      type: 'string',
      enum: ['insufficient_scope'],
      description: 'Sent only if `scope_error` requested it.',
      examples: ['insufficient_scope']
    },
    ref: text('The `ref` of the entry of a batch.', 'b1946ac9'),
    client_id: text('The id of the key.', '0190d2a4-7c1e-7b3a-9f60-2f1c8f1f0a11'),
    sub: text('The same as `client_id`.', '0190d2a4-7c1e-7b3a-9f60-2f1c8f1f0a11'),
    username: text('The name of the key.', 'billing-sync'),
    scope: text(
      'The scopes that the key has for the services that you may see, separated by spaces. `orders:*` is replaced by ' +
        'the scopes that the service `orders` has now. Missing if there are none.',
      'orders:read orders:refunds:write'
    ),
    token_type: { ...text('Always `Bearer`.', 'Bearer'), enum: ['Bearer'] },
    iat: seconds('When the token was created, in seconds since 1970. Missing for environment keys.', 1767603600),
    exp: seconds(
      'When the token or its key expires, in seconds since 1970. Missing if neither does. A token may end earlier.',
      1801396800
    ),
    iss: text('The public URL of this API. Missing if `PUBLIC_URL` is not set.', 'https://keys.example.com'),
    aud: {
      anyOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' } }],
      description: 'The audience of the service of the scopes, or an array if there are several. Missing if none.',
      examples: ['https://orders.example.com']
    },
    owner: text('The owner of the key. Missing if it has none.', 'customer:4711'),
    metadata: { type: 'object', description: 'The metadata of the key.', examples: [{ team: 'finance' }] }
  }
} as const

const toSeconds = (at: Date): number => Math.floor(at.getTime() / 1000)

/** The members of a verdict that an entry of a batch requests. */
export interface RequestedMembers {
  /** Whether a missing scope is distinguished from other reasons, if the requester may know it. */
  readonly scope_error?: boolean | undefined
  /** Text that is repeated in the verdict. */
  readonly ref?: string | undefined
}

/**
 * Returns a verdict on a token as JSON (RFC 7662, section 2.2). All inactive tokens look the same. `issuer` is the
 * public URL of the service, or empty if it isn't known.
 */
export const toIntrospectionJson = (introspected: Introspected, issuer: string, requested: RequestedMembers = {}) => ({
  ...(introspected.isActive ? toActiveJson(introspected, issuer) : toInactiveJson(introspected, requested)),
  ...(requested.ref === undefined ? {} : { ref: requested.ref })
})

const toInactiveJson = ({ isScopeMissing }: InactiveToken, { scope_error: isRequested = false }: RequestedMembers) => ({
  active: false,
  ...(isRequested && isScopeMissing ? { error: 'insufficient_scope' } : {})
})

const toActiveJson = (introspected: ActiveToken, issuer: string) => {
  const { token, scopes, audiences, expiresAt } = introspected
  const { key, createdAt, metadata = '{}' } = token
  return {
    active: true,
    client_id: key.id,
    sub: key.id,
    username: key.name,
    ...(scopes.length === 0 ? {} : { scope: scopes.join(' ') }),
    token_type: 'Bearer',
    ...(createdAt === undefined ? {} : { iat: toSeconds(createdAt) }),
    ...(expiresAt === null ? {} : { exp: toSeconds(expiresAt) }),
    ...(issuer === '' ? {} : { iss: issuer }),
    ...(audiences.length === 0 ? {} : { aud: audiences.length === 1 ? audiences[0] : audiences }),
    ...(key.owner === null ? {} : { owner: key.owner }),
    metadata: JSON.parse(metadata) as object
  }
}
