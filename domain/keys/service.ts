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
import { SCOPES, createScopeCheck } from './policy/scopes.ts'
import type { Scope } from './policy/scopes.ts'
import type { KeyStore } from './store.ts'
import { checkOfService, generationsOf } from './token/secrets.ts'
import type { CheckSecrets } from './token/secrets.ts'
import { createTokenOpener } from './token/opener.ts'
import type { TokenSecrets } from './token/opener.ts'
import type { UsageRecorder } from './usage/recorder.ts'
import { createVerifier } from './verdict/verifier.ts'
import type { Verifier } from './verdict/verifier.ts'

export interface VerifierSettings extends Pick<AuthenticatorOptions, 'cacheSize' | 'cache'> {
  /** Counts the requests of keys that have a rate limit; in the memory of this process by default. */
  readonly counters?: Counters | undefined
  /** Records how keys are used; nothing does by default. */
  readonly usage?: Pick<UsageRecorder, 'used' | 'refused'> | undefined
}

export interface KeyServiceOptions<S extends string = Scope> extends TokenSecrets, VerifierSettings {
  readonly store: KeyStore
  /** Finds the keys of tokens; by default each token is looked up by a read of the store, and nothing is cached. */
  readonly keyLookup?: KeyLookup | undefined
  /** The scopes that exist; by default those of this service. */
  readonly scopes?: readonly S[] | undefined
  /** `key_id`s, or `sha256:<64 hex>` digests of them: the environment keys. */
  readonly allowList?: readonly string[] | undefined
  /** Whether a token may be stored; by default if every node that runs can open it. */
  readonly checkSecrets?: CheckSecrets | undefined
  /** Reports changes that could not be confirmed; nothing does by default. */
  readonly background?: BackgroundHooks | undefined
}

/**
 * Every client key, managed ones and those of the environment, and what may be done with them.
 *
 * Each change is one transaction, which moves the revision and writes an audit entry. A key that does not exist is a
 * ClientKeyNotFound. Environment keys can only be revoked: every other change of one is an EnvironmentKeyFixed. A
 * change fails with BeyondPermissionBoundary if the key, before or after, exceeds what its requester may give, and
 * with InvalidToken if the requester's own key is expired or revoked by then.
 */
export interface KeyService<S extends string = Scope>
  extends KeyLifecycle<S>, KeyQueries, Pick<Verifier, 'verify' | 'recheck'> {
  /** Returns the present instant in milliseconds since 1970, by the clock by which keys expire. */
  readonly now: () => number
}

/** The maximum number of keys with a rate limit that are counted in the memory of a process. */
const MAX_LIMITED_KEYS = 1_000_000

const NOT_RECORDED: Pick<UsageRecorder, 'used' | 'refused'> = { used: () => {}, refused: () => {} }

/** Creates the verifier of tokens: see `createVerifier`. */
export const verifierOf = ({
  counters = createMemoryCounters({ maxKeys: MAX_LIMITED_KEYS }),
  usage = NOT_RECORDED,
  ...options
}: VerifierSettings & AuthenticatorOptions): Verifier =>
  createVerifier({ authenticate: createAuthenticator(options), counters, usage })

export const createKeyService = <const S extends string = Scope>(options: KeyServiceOptions<S>): KeyService<S> => {
  const { store, scopes, secret, previousSecrets = [], allowList = [], keyLookup: lookup = readLookup(store) } = options
  const opener = createTokenOpener(options)
  const { sealer } = opener
  const environmentKeys = createEnvironmentKeys(allowList)
  const { verify, recheck, check } = verifierOf({ ...options, lookup })
  const queries = createKeyQueries({ store, opener, environmentKeys, secrets: [secret, ...previousSecrets], check })
  const lifecycle = createKeyLifecycle<S>({
    store,
    sealer,
    environmentKeys,
    checkScopes: createScopeCheck(scopes ?? SCOPES),
    checkSecrets: options.checkSecrets ?? checkOfService(generationsOf(secret, previousSecrets)),
    find: queries.find,
    background: options.background ?? NOT_REPORTED
  })
  return { ...queries, ...lifecycle, verify, recheck, now: store.now ?? ownMilliseconds }
}

/** A look-up by reads of a store, of which nothing is cached: for commands, which ask once. */
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
