import type { Actor, AuditSource } from '../audits/audit.ts'
import { plainAddress } from '../../net/addresses.ts'
import type { ClientKeyPrincipal } from '../keys/verdict/principal.ts'
import type { Session } from '../users/session.ts'
import type { User } from '../users/user.ts'

export { keyPrincipalOf } from '../keys/verdict/principal.ts'
export type { ClientKeyPrincipal } from '../keys/verdict/principal.ts'

export interface UserPrincipal {
  readonly kind: 'user'
  readonly user: User
  readonly session: Session
}

/** The client key or user that a request is authenticated as. */
export type Principal = ClientKeyPrincipal | UserPrincipal

/** The principal and origin of a request. */
export interface RequestContext extends AuditSource {
  /** Null for the operator, who uses the command line and may do everything. */
  readonly principal: Principal | null
}

/** The properties of a request that its context is created from. */
interface AuthenticatedRequest {
  readonly principal: Principal | null
  readonly ip: string
  readonly id: string
}

/** Returns the principal of a request. Throws if the request wasn't authenticated. */
export const principalOf = ({ principal }: Pick<AuthenticatedRequest, 'principal'>): Principal => {
  if (principal === null) throw new Error('the request was not authenticated')
  return principal
}

/** Returns the user and session of a request. Throws if the request wasn't authenticated with a session. */
export const userPrincipalOf = (request: Pick<AuthenticatedRequest, 'principal'>): UserPrincipal => {
  const principal = principalOf(request)
  if (principal.kind !== 'user') throw new Error('the request was authenticated without a session')
  return principal
}

export const contextOf = (request: AuthenticatedRequest): RequestContext => {
  const principal = principalOf(request)
  return { actor: actorOf(principal), principal, address: plainAddress(request.ip), requestId: request.id }
}

/**
 * Returns the requesting user's id. Returns null for a client key or the operator, because they bypass the rules for
 * users.
 */
export const userIdOf = ({ principal }: Pick<RequestContext, 'principal'>): number | null =>
  principal?.kind === 'user' ? principal.user.id : null

/** Converts a user to an actor for the audit trail. */
export const userActor = ({ id, name }: Pick<User, 'id' | 'name'>): Actor => ({ kind: 'user', id: String(id), name })

const actorOf = (principal: Principal): Actor =>
  principal.kind === 'user'
    ? userActor(principal.user)
    : { kind: 'client_key', id: principal.key.id, name: principal.key.name }
