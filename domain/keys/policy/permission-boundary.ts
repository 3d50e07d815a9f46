import { BeyondPermissionBoundary, InvalidToken, missingScope } from '../../errors.ts'
import type { RequestContext } from '../../access/principal.ts'
import { isWithin } from '../../../net/addresses.ts'
import { inactiveReason, UNLIMITED } from '../client-key.ts'
import type { KnownToken, Policy, RateLimit } from '../client-key.ts'
import type { KeyReads } from '../rows.ts'
import { issuesOf } from '../../field-issue.ts'
import type { FieldIssue } from '../../field-issue.ts'
import { ADMINISTRATOR_SCOPES, covers, mayGive } from './scopes.ts'
import type { AssignableScope, Scope } from './scopes.ts'

/**
 * The permissions that an administrator has and can give to keys. They don't include access to other users' apps and
 * organizations.
 */
const ADMINISTRATOR_BOUNDARY: Policy<AssignableScope> = {
  ...UNLIMITED,
  scopes: ADMINISTRATOR_SCOPES
}

/**
 * Returns the permissions that a token can give to other keys: those of its own key, until the token or its key
 * expires.
 */
export const permissionBoundaryOf = ({ key, expiresAt }: Pick<KnownToken, 'key' | 'expiresAt'>): Policy => {
  const expiries = [key.expiresAt, expiresAt]
    .filter(expiry => expiry !== null)
    .sort((a, b) => a.getTime() - b.getTime())
  return { ...key, expiresAt: expiries[0] ?? null }
}

/**
 * Returns the current permission boundary of a requester who makes a change, or null if there is none. If the requester
 * is a client key, it's read again in the same transaction as the change. Throws InvalidToken if the key has expired or
 * been revoked in the meantime, or InsufficientScope if it lacks the scope that the
 * change requires.
 */
export const currentBoundary = async (
  keys: Pick<KeyReads, 'findToken' | 'findRevocation'>,
  { at, context: { principal } }: { readonly at: Date; readonly context: Pick<RequestContext, 'principal'> },
  required: Scope = 'client_keys:write'
): Promise<Policy | null> => {
  if (principal === null) return null
  if (principal.kind === 'user') return ADMINISTRATOR_BOUNDARY
  const { token } = principal
  const current =
    token.key.source === 'managed'
      ? await keys.findToken(token.digest)
      : { ...token, key: { ...token.key, revokedAt: await keys.findRevocation(token.digest) } }
  if (current === null || inactiveReason(current, at.getTime()) !== null) throw new InvalidToken()
  if (!covers(current.key.scopes, required)) throw missingScope(required)
  return permissionBoundaryOf(current)
}

/**
 * Throws BeyondPermissionBoundary if a policy exceeds the permission boundary. If `boundary` is null, every policy is
 * allowed.
 */
export const refuseBeyondBoundary = (boundary: Policy | null, wanted: Policy): void => {
  const issues = boundary === null ? [] : policyExcesses(boundary, wanted)
  if (issues.length > 0) throw new BeyondPermissionBoundary({ issues })
}

/**
 * Returns an issue for each part of a policy that exceeds the requester's own policy. Requesters can't give a key
 * permissions that they lack, or change a key that has such permissions.
 */
export const policyExcesses = (own: Policy, wanted: Policy): FieldIssue[] => [
  ...issuesOf(
    'scopes',
    wanted.scopes.filter(scope => !mayGive(own.scopes, scope)).map(scope => `the scope ${scope} is not among your own`)
  ),
  ...issuesOf('allowed_ips', hasWiderAddresses(own, wanted) ? ['allowed_ips includes addresses outside your own'] : []),
  ...issuesOf('expires_at', expiresLater(own, wanted) ? ['expires_at is later than your own'] : []),
  ...issuesOf('rate_limit', isFaster(own.rateLimit, wanted.rateLimit) ? ['rate_limit exceeds your own'] : [])
]

const hasWiderAddresses = (own: Policy, wanted: Policy): boolean =>
  own.allowedIps.length > 0 &&
  (wanted.allowedIps.length === 0 || !wanted.allowedIps.every(range => isWithin(range, own.allowedIps)))

const expiresLater = (own: Policy, wanted: Policy): boolean =>
  own.expiresAt !== null && (wanted.expiresAt === null || wanted.expiresAt > own.expiresAt)

// Compares both the burst and the average rate.
const isFaster = (own: RateLimit | null, wanted: RateLimit | null): boolean =>
  own !== null &&
  (wanted === null || wanted.max > own.max || wanted.max * own.windowSeconds > own.max * wanted.windowSeconds)
