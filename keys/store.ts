import type { ClientKey } from './client-key.ts'

/**
 * Where a client key is looked up by the digest (SHA-256, 64 hexadecimal digits) of its `key_id`.
 *
 * What a token resolved to is cached for as long as `epoch` stays the same, so every change to any key, by whatever
 * process, must move it. `epoch` is read on every request and is synchronous; `findByDigest` is called only where the
 * cache does not know the token, and may be asynchronous.
 */
export interface ClientKeyLookup {
  epoch (): number
  findByDigest (digest: string): ClientKey | null | Promise<ClientKey | null>
}
