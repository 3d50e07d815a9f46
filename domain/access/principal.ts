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

/** Who a request acts for. */
export type Principal = ClientKeyPrincipal | UserPrincipal

/** Who asks a service for something, and by what request. */
export interface RequestContext extends AuditSource {
  /** Null: the operator at the command line, whom no rule bounds. */
  readonly principal: Principal | null
}

/** The parts of a request that tell its context. */
interface AuthenticatedRequest {
  readonly principal: Principal | null
  readonly ip: string
  readonly id: string
}

/** The principal of a request that was authenticated. */
export const principalOf = ({ principal }: Pick<AuthenticatedRequest, 'principal'>): Principal => {
  if (principal === null) throw new Error('the request was not authenticated')
  return principal
}

/** The user of a request that was authenticated with a session. */
export const userPrincipalOf = (request: Pick<AuthenticatedRequest, 'principal'>): UserPrincipal => {
  const principal = principalOf(request)
  if (principal.kind !== 'user') throw new Error('the request was authenticated without a session')
  return principal
}

export const contextOf = (request: AuthenticatedRequest): RequestContext => {
  const principal = principalOf(request)
  return { actor: actorOf(principal), principal, address: plainAddress(request.ip), requestId: request.id }
}

/** The user who asks; null: a client key or the operator does, who override what users may do. */
export const userIdOf = ({ principal }: Pick<RequestContext, 'principal'>): number | null =>
  principal?.kind === 'user' ? principal.user.id : null

/** A user, for the audit trail. */
export const userActor = ({ id, name }: Pick<User, 'id' | 'name'>): Actor => ({ kind: 'user', id: String(id), name })

const actorOf = (principal: Principal): Actor =>
  principal.kind === 'user'
    ? userActor(principal.user)
    : { kind: 'client_key', id: principal.key.id, name: principal.key.name }
