import type { ClientKey, KnownToken } from '../client-key.ts'
import type { RateStatus } from './verifier.ts'

export interface ClientKeyPrincipal {
  readonly kind: 'client_key'
  readonly key: ClientKey
  /** The token that the request contained. */
  readonly token: KnownToken
  /** The state of the key's rate limit after this request, or null if the request wasn't counted. */
  readonly rate: RateStatus | null
}

/** A request with a principal: a client key, or another kind of principal that the service defines. */
interface AuthenticatedRequest {
  readonly principal: { readonly kind: string } | null
}

const isClientKey = (principal: { readonly kind: string }): principal is ClientKeyPrincipal =>
  principal.kind === 'client_key'

/** Returns the client key of a request. Throws if the request wasn't authenticated with one. */
export const keyPrincipalOf = ({ principal }: AuthenticatedRequest): ClientKeyPrincipal => {
  if (principal === null) throw new Error('the request was not authenticated')
  if (!isClientKey(principal)) throw new Error('the request was authenticated without a client key')
  return principal
}
