import type { Origin } from '../audits/audit.ts'
import { plainAddress } from '../keys/addresses.ts'
import type { ClientKey, KnownToken } from '../keys/client-key.ts'

/** Who a request acts for. */
export interface Principal {
  readonly kind: 'client_key'
  readonly key: ClientKey
  /** The token of the key that was presented. */
  readonly token: KnownToken
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

/** Who asked, and by what request, for the audit trail. */
export const originOf = (request: Asked): Origin => {
  const { key: { id, name } } = principalOf(request)
  return { actor: { kind: 'client_key', id, name }, address: plainAddress(request.ip), requestId: request.id }
}
