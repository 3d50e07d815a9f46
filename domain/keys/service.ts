import type { KeyStore } from './changes.ts'
import { createEnvironmentKeys } from './environment-keys.ts'
import { createScopeCheck } from './known-scopes.ts'
import type { OpenLegacyToken } from './legacy-token.ts'
import { createKeyLifecycle } from './lifecycle.ts'
import type { KeyLifecycle } from './lifecycle.ts'
import { createKeyQueries } from './queries.ts'
import type { KeyQueries } from './queries.ts'
import { SCOPES } from './scopes.ts'
import type { Scope } from './scopes.ts'
import { checkOfService, generationsOf } from './secret-check.ts'
import type { CheckSecrets } from './secret-check.ts'
import { createTokenSealer } from './token.ts'

export interface KeyServiceOptions<S extends string = Scope> {
  readonly store: KeyStore
  /** The scopes that there are; by default those of this service. */
  readonly scopes?: readonly S[] | undefined
  /** The secret that seals tokens, 32 characters at least. */
  readonly secret: string
  /** Earlier secrets, whose tokens still open. */
  readonly previousSecrets?: readonly string[] | undefined
  /** `key_id`s, or `sha256:<64 hex>` digests of them: the environment keys. */
  readonly allowList?: readonly string[] | undefined
  /** Whether a token may be stored; by default where every node that runs can open it. */
  readonly checkSecrets?: CheckSecrets | undefined
  /** Opens Trivial's own HS256 tokens, where they are accepted. */
  readonly openLegacyToken?: OpenLegacyToken | undefined
}

/**
 * Every client key there is, managed ones and those of the environment, and what may be done with them.
 *
 * Each change is one transaction, which moves the revision and writes an audit entry. A key that does not exist is a
 * ClientKeyNotFound. Environment keys can only be revoked: every other change of one is an EnvironmentKeyFixed. A
 * change fails with BeyondPermissionBoundary where the key, before or after, exceeds what its requester may give, and
 * with InvalidToken where the requester's own key is expired or revoked by then.
 */
export interface KeyService<S extends string = Scope> extends KeyLifecycle<S>, KeyQueries {}

export const createKeyService = <const S extends string = Scope>({
  store,
  scopes,
  secret,
  previousSecrets = [],
  allowList = [],
  checkSecrets,
  openLegacyToken
}: KeyServiceOptions<S>): KeyService<S> => {
  const sealer = createTokenSealer(secret, previousSecrets)
  const environmentKeys = createEnvironmentKeys(allowList)
  const queries = createKeyQueries({
    store,
    sealer,
    environmentKeys,
    secrets: [secret, ...previousSecrets],
    openLegacyToken
  })
  const lifecycle = createKeyLifecycle<S>({
    store,
    sealer,
    environmentKeys,
    checkScopes: createScopeCheck(scopes ?? SCOPES),
    checkSecrets: checkSecrets ?? checkOfService(generationsOf(secret, previousSecrets)),
    find: queries.find
  })
  return { ...queries, ...lifecycle }
}
