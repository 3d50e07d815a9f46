import type { ClientKey } from '../keys/client-key.ts'

/** Who a request acts for. */
export interface Principal {
  readonly kind: 'client_key'
  readonly key: ClientKey
}
