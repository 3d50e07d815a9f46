import type { Origin } from '../audits/audit.ts'
import { plainAddress } from '../../net/addresses.ts'
import type { ClientKey, KnownToken } from '../keys/client-key.ts'
import type { Session } from '../users/session.ts'
import type { User } from '../users/user.ts'

export interface ClientKeyPrincipal {
  readonly kind: 'client_key'
  readonly key: ClientKey
  /** The token of the key that was presented. */
  readonly token: KnownToken
}

export interface UserPrincipal {
  readonly kind: 'user'
  readonly user: User
  readonly session: Session
}

/** Who a request acts for. */
export type Principal = ClientKeyPrincipal | UserPrincipal

/**
 * Who asks a store for something: by what request, and as which user; null: as a client key, which overrides what users
 * may do.
 */
export interface Asker {
  readonly origin: Origin
  readonly userId: number | null
}

/** What there is of a request to tell who asked. */
interface Asked {
  readonly principal: Principal | null
  readonly ip: string
  readonly id: string
}

/** The principal of a request that was let in. */
export const principalOf = ({ principal }: Pick<Asked, 'principal'>): Principal => {
  if (principal === null) throw new Error('the request was let in by nobody')
  return principal
}

/** The client key of a request that was let in with one. */
export const keyPrincipalOf = (request: Pick<Asked, 'principal'>): ClientKeyPrincipal => {
  const principal = principalOf(request)
  if (principal.kind !== 'client_key') throw new Error('the request was let in without a client key')
  return principal
}

/** The user of a request that was let in with a session. */
export const userPrincipalOf = (request: Pick<Asked, 'principal'>): UserPrincipal => {
  const principal = principalOf(request)
  if (principal.kind !== 'user') throw new Error('the request was let in without a session')
  return principal
}

/** Who asked, and by what request, for the audit trail. */
export const originOf = (request: Asked): Origin => ({
  actor: actorOf(principalOf(request)),
  address: plainAddress(request.ip),
  requestId: request.id
})

export const askerOf = (request: Asked): Asker => {
  const principal = principalOf(request)
  return { origin: originOf(request), userId: principal.kind === 'user' ? principal.user.id : null }
}

/** A user, for the audit trail. */
export const userActor = ({ id, name }: Pick<User, 'id' | 'name'>): Origin['actor'] => ({
  kind: 'user',
  id: String(id),
  name
})

const actorOf = (principal: Principal): Origin['actor'] =>
  principal.kind === 'user'
    ? userActor(principal.user)
    : { kind: 'client_key', id: principal.key.id, name: principal.key.name }
