import type { ClientKey, KnownToken } from '../client-key.ts'
import type { RateStatus } from './verifier.ts'

export interface ClientKeyPrincipal {
  readonly kind: 'client_key'
  readonly key: ClientKey
  /** The token of the key that was presented. */
  readonly token: KnownToken
  /** The state of the rate limit of the key, this request included; null if the request was not counted. */
  readonly rate: RateStatus | null
}

/** A request, with who it acts for: a client key, or what else the service knows. */
interface AuthenticatedRequest {
  readonly principal: { readonly kind: string } | null
}

const isClientKey = (principal: { readonly kind: string }): principal is ClientKeyPrincipal =>
  principal.kind === 'client_key'

/** The client key of a request that was authenticated with one. */
export const keyPrincipalOf = ({ principal }: AuthenticatedRequest): ClientKeyPrincipal => {
  if (principal === null) throw new Error('the request was not authenticated')
  if (!isClientKey(principal)) throw new Error('the request was authenticated without a client key')
  return principal
}
