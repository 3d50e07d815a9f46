import type { ClientKey } from '../client-key.ts'
import type { Demand } from './verifier.ts'

/** What another program knows about an active key: the reply to its introspection. */
export interface VerifiedKey extends Pick<ClientKey, 'id' | 'name' | 'expiresAt'> {
  /** The scopes of the key that belong to the program's own service, such as `orders:read`. Never contains `*`. */
  readonly scopes: readonly string[]
  /** Whose key it is, according to the operator, or null if that isn't recorded. */
  readonly owner: string | null
  readonly metadata: Readonly<Record<string, unknown>>
}

/** A key that meets the demand. `rate` is null, because introspection doesn't reveal the state of a rate limit. */
export interface RemoteAccepted {
  readonly ok: true
  readonly key: VerifiedKey
  readonly rate: null
}

/**
 * `inactive` means everything that introspection doesn't reveal: the token is invalid, its key is revoked, expired, or
 * disabled, has no scope of the service, doesn't allow the address, or has used up its rate limit.
 */
export interface RemoteRefused<R extends string = never> {
  readonly ok: false
  readonly reason: 'inactive' | 'insufficient_scope' | R
}

export type RemoteVerdict<R extends string = never> = RemoteAccepted | RemoteRefused<R>

/** A demand whose scopes may be omitted: then the key needs any scope of the service. `userAgent` isn't used. */
export type RemoteDemand<R extends string = never> = Partial<Demand<R>>

/** Decides whether tokens are accepted, by introspection. `createVerifier` in client/ creates it. */
export interface RemoteVerifier {
  /** The name of the service that the program provides. All scopes that it demands begin with this name. */
  readonly service: string
  /**
   * Decides whether a token meets a demand, as the plugin's `Verify` does, and counts the request as a use of the key.
   * Rejects with `VerifierUnavailable` if this can't be decided, or with a TypeError if the demand is invalid. Never
   * rejects because of the token.
   */
  readonly verify: <R extends string = never>(
    token: string | undefined,
    demand?: RemoteDemand<R>
  ) => Promise<RemoteVerdict<R>>
  /** Waits for running calls, and closes all connections. Later calls of `verify` reject. */
  readonly close: () => Promise<void>
}
