import type { Service } from './service.ts'

/** Reads services, and which keys have their scopes. */
export interface ServiceReads {
  readonly find: (name: string) => Promise<Service | null>
  /** Returns those of the given services that exist, in any order. */
  readonly named: (names: readonly string[]) => Promise<Service[]>
  /** Returns at most `limit` services with names greater than `after`, ordered by name. */
  readonly page: (page: { readonly limit: number; readonly after?: string | undefined }) => Promise<Service[]>
  readonly count: () => Promise<number>
}

/**
 * The stored services. The functions enforce no rules. Every transaction that writes services also increments the
 * revision of the keys, as a change to all keys.
 */
export interface ServiceRows extends ServiceReads {
  /**
   * Returns the number of keys that aren't revoked and have any of the given scopes. If another key gets one of them
   * before the commit, and `takeScopes` doesn't take it, nothing is stored, and `work` runs again.
   */
  readonly countKeys: (scopes: readonly string[]) => Promise<number>
  readonly insert: (service: Service) => Promise<void>
  /** Replaces the stored service with the same name. */
  readonly update: (service: Service) => Promise<void>
  readonly remove: (name: string) => Promise<void>
  /** Takes the given scopes from all keys that aren't revoked. A key that has no other scopes keeps none. */
  readonly takeScopes: (scopes: readonly string[]) => Promise<void>
}
