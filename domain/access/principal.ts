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

/** The principal on whose behalf a request acts. */
export type Principal = ClientKeyPrincipal | UserPrincipal

/** The principal and the origin of a request to a service. */
export interface RequestContext extends AuditSource {
  /** Null for the operator at the command line, who may do everything. */
  readonly principal: Principal | null
}

/** The properties of a request from which its context is created. */
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

/** Returns the id of the requesting user, or null for a client key or the operator, who bypass the rules for users. */
export const userIdOf = ({ principal }: Pick<RequestContext, 'principal'>): number | null =>
  principal?.kind === 'user' ? principal.user.id : null

/** Returns the given user as an actor for the audit trail. */
export const userActor = ({ id, name }: Pick<User, 'id' | 'name'>): Actor => ({ kind: 'user', id: String(id), name })

const actorOf = (principal: Principal): Actor =>
  principal.kind === 'user'
    ? userActor(principal.user)
    : { kind: 'client_key', id: principal.key.id, name: principal.key.name }
