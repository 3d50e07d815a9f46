import type { KeyReader, KeyStore, KeyTx } from '../keys/store.ts'
import type { TransactorOf } from '../transaction.ts'
import type { ServiceReads, ServiceRows } from './rows.ts'

/** The rows that changes to services read and write. */
export interface ServiceTx extends KeyTx {
  readonly services: ServiceRows
}

/** The storage of services, which is also the storage of keys, because keys have the scopes of services. */
export interface ServiceStore
  extends TransactorOf<KeyReader & { readonly services: ServiceReads }, ServiceTx>, Pick<KeyStore, 'confirm' | 'now'> {}
