import { NOT_REPORTED } from '../background.ts'
import type { BackgroundHooks } from '../background.ts'
import { createMemoryCounters } from '../counters.ts'
import type { Counters } from '../counters.ts'
import { createAuthenticator, NO_LOOKUP } from './verdict/authenticator.ts'
import type { AuthenticatorOptions } from './verdict/authenticator.ts'
import { createEnvironmentKeys } from './verdict/environment-keys.ts'
import type { KeyLookup } from './freshness/freshness.ts'
import { createKeyLifecycle } from './lifecycle/lifecycle.ts'
import type { KeyLifecycle } from './lifecycle/lifecycle.ts'
import { createKeyQueries } from './queries.ts'
import type { KeyQueries } from './queries.ts'
import { ownMilliseconds } from '../time.ts'
import type { KeyReads } from './rows.ts'
import { createScopeCheck } from './policy/scope-check.ts'
import { SCOPES } from './policy/scopes.ts'
import type { KeyStore } from './store.ts'
import { checkOfService, generationsOf } from './token/secrets.ts'
import type { CheckSecrets } from './token/secrets.ts'
import { createTokenOpener } from './token/opener.ts'
import type { TokenSecrets } from './token/opener.ts'
import type { UsageRecorder } from './usage/recorder.ts'
import { createVerifier } from './verdict/verifier.ts'
import type { Verifier } from './verdict/verifier.ts'

export interface VerifierSettings extends Pick<AuthenticatorOptions, 'cacheSize' | 'cache'> {
  /** Counts the requests of keys with a rate limit. Defaults to counters in the memory of this process. */
  readonly counters?: Counters | undefined
  /** Records the usage of keys. By default, nothing is recorded. */
  readonly usage?: Pick<UsageRecorder, 'used' | 'refused'> | undefined
}

export interface KeyServiceOptions<S extends string = string> extends TokenSecrets, VerifierSettings {
  readonly store: KeyStore
  /** Finds the keys of tokens. By default, each token is looked up in the store, and nothing is cached. */
  readonly keyLookup?: KeyLookup | undefined
  /** The scopes that can be assigned to keys, in addition to those of services. Defaults to the scopes of this API. */
  readonly scopes?: readonly S[] | undefined
  /** The environment keys: `key_id`s, or `sha256:<64 hex>` digests of them. */
  readonly allowList?: readonly string[] | undefined
  /** Checks whether a token may be stored. By default, it may be stored if every running node can open it. */
  readonly checkSecrets?: CheckSecrets | undefined
  /** Reports changes that couldn't be confirmed. By default, nothing is reported. */
  readonly background?: BackgroundHooks | undefined
}

/**
 * The operations on client keys, both managed keys and environment keys.
 *
 * Each change is one transaction, which increments the revision and appends an audit entry. Functions throw
 * ClientKeyNotFound if a key doesn't exist. Environment keys can only be revoked; any other change to them throws
 * EnvironmentKeyReadOnly. A change throws BeyondPermissionBoundary if the key exceeds the requester's permission
 * boundary before or after the change. It throws InvalidToken if the requester's own key has expired or been revoked in
 * the meantime.
 */
export interface KeyService<S extends string = string>
  extends KeyLifecycle<S>, KeyQueries, Pick<Verifier, 'verify' | 'verifyAll' | 'recheck'> {
  /** Returns the current time in milliseconds since 1970, by the clock that decides when keys expire. */
  readonly now: () => number
}

/** The maximum number of keys whose requests are counted in memory for rate limiting. */
const MAX_LIMITED_KEYS = 1_000_000

const NOT_RECORDED: Pick<UsageRecorder, 'used' | 'refused'> = { used: () => {}, refused: () => {} }

/** Creates a verifier of tokens: see `createVerifier`. */
export const verifierOf = ({
  counters = createMemoryCounters({ maxKeys: MAX_LIMITED_KEYS }),
  usage = NOT_RECORDED,
  ...options
}: VerifierSettings & AuthenticatorOptions): Verifier =>
  createVerifier({ ...createAuthenticator(options), counters, usage })

export const createKeyService = <const S extends string = string>(options: KeyServiceOptions<S>): KeyService<S> => {
  const { store, scopes, secret, previousSecrets = [], allowList = [], keyLookup: lookup = readLookup(store) } = options
  const opener = createTokenOpener(options)
  const { sealer } = opener
  const environmentKeys = createEnvironmentKeys(allowList)
  const { verify, verifyAll, recheck, check } = verifierOf({ ...options, lookup })
  const queries = createKeyQueries({ store, opener, environmentKeys, secrets: [secret, ...previousSecrets], check })
  const lifecycle = createKeyLifecycle<S>({
    store,
    sealer,
    environmentKeys,
    findUnknownScopes: createScopeCheck(scopes ?? SCOPES),
    checkSecrets: options.checkSecrets ?? checkOfService(generationsOf(secret, previousSecrets)),
    find: queries.find,
    background: options.background ?? NOT_REPORTED
  })
  return { ...queries, ...lifecycle, verify, verifyAll, recheck, now: store.now ?? ownMilliseconds }
}

/** Creates a lookup that always reads the store and never caches, for commands that look up a single key. */
const readLookup = (store: Pick<KeyStore, 'read' | 'now'>): KeyLookup => {
  const read = async <T>(work: (keys: KeyReads) => Promise<T>): Promise<T> =>
    await store.read(async ({ keys }) => await work(keys))
  return {
    ...NO_LOOKUP,
    ...(store.now === undefined ? {} : { now: store.now }),
    mark: () => null,
    findByDigest: async digest => await read(async keys => await keys.findToken(digest)),
    findRevocation: async digest => await read(async keys => await keys.findRevocation(digest))
  }
}
