import type { ClientKey, KnownToken } from '../client-key.ts'
import type { VerifiedKey } from './remote.ts'
import type { RateStatus } from './verifier.ts'

export interface ClientKeyPrincipal {
  readonly kind: 'client_key'
  readonly key: ClientKey
  /** The token that the request contained. */
  readonly token: KnownToken
  /** The state of the key's rate limit after this request, or null if the request wasn't counted. */
  readonly rate: RateStatus | null
}

/** The principal of a request whose key another service verified: see `RemoteVerifier`. */
export interface VerifiedKeyPrincipal {
  readonly kind: 'client_key'
  readonly key: VerifiedKey
  /** Always null, because introspection doesn't reveal the state of a rate limit. */
  readonly rate: null
}

/** A request and its principal: a client key, or another kind that the service defines. */
interface AuthenticatedRequest<P extends { readonly kind: string }> {
  readonly principal: P | null
}

type KeyPrincipalIn<P> = Extract<P, { readonly kind: 'client_key' }>

const isClientKey = <P extends { readonly kind: string }>(principal: P): principal is KeyPrincipalIn<P> =>
  principal.kind === 'client_key'

/** Returns the client key of a request. Throws if the request wasn't authenticated with one. */
export const keyPrincipalOf = <P extends { readonly kind: string }>({
  principal
}: AuthenticatedRequest<P>): KeyPrincipalIn<P> => {
  if (principal === null) throw new Error('the request was not authenticated')
  if (!isClientKey(principal)) throw new Error('the request was authenticated without a client key')
  return principal
}
