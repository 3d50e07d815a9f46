import type { ClientKeyRecord, TokenRecord } from '../domain/keys/client-key.ts'
import { inactiveReason } from '../domain/keys/client-key.ts'

/** Returns the state of a key as one word: `active` if it's accepted, or else the reason why it's refused. */
export const stateOf = (key: ClientKeyRecord): string => {
  const reason = inactiveReason(
    { key, digest: '', generation: '', ref: '', expiresAt: null, revokedAt: null },
    Date.now()
  )
  return reason === null ? 'active' : reason.replace('key_', '')
}

export const formatTimestamp = (timestamp: Date | null, none = '-'): string =>
  timestamp?.toISOString().replace(/\.\d+Z$/, 'Z') ?? none

/** Returns table rows that show a key's policy. */
export const policyRows = (key: ClientKeyRecord): string[][] => [
  ...(key.owner === null ? [] : [['owner', key.owner]]),
  ['scopes', key.scopes.join(' ') || 'none'],
  ['expires', formatTimestamp(key.expiresAt, 'never')],
  ['allowed_ips', key.allowedIps.join(' ') || 'any'],
  ['rate_limit', key.rateLimit === null ? 'none' : `${key.rateLimit.max}/${key.rateLimit.windowSeconds}s`]
]

export const tokenRows = (tokens: readonly TokenRecord[]): string[][] => [
  ['TOKEN', 'GENERATION', 'CREATED', 'EXPIRES', 'LAST USED', 'FROM', 'BY', 'USES'],
  ...tokens.map(token => [
    token.hint === null ? '-' : `…${token.hint}`,
    token.generation,
    formatTimestamp(token.createdAt),
    token.revokedAt === null ? formatTimestamp(token.expiresAt) : 'revoked',
    formatTimestamp(token.lastUsedAt, 'never'),
    token.lastUsedIp ?? '-',
    token.lastUsedAgent ?? '-',
    String(token.useCount)
  ])
]
