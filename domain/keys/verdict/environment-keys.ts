import { allowListKeys, entryDigest, needsLegacyToken } from './allow-list.ts'
import type { ClientKey, ClientKeyRecord } from '../client-key.ts'
import type { EnvironmentRecord } from '../rows.ts'

/** A key of the allow-list, with the digest by which it is found. */
export interface EnvironmentKey {
  readonly key: ClientKey
  readonly digest: string
}

/** The keys of an allow-list. */
export interface EnvironmentKeys {
  readonly find: (id: string) => EnvironmentKey | null
  /** In order. */
  readonly ids: readonly string[]
  /** Whether the digest of a key could be used to guess its `key_id`. */
  readonly isGuessable: (digest: string) => boolean
}

export const createEnvironmentKeys = (allowList: readonly string[]): EnvironmentKeys => {
  const byDigest = new Map([...allowListKeys(allowList)].map(([digest, key]) => [digest, { key, digest }]))
  const byId = new Map([...byDigest.values()].map(found => [found.key.id, found]))
  // A key_id of another form than the service's own may be a word, which its digest would tell.
  const guessable = new Set(allowList.filter(needsLegacyToken).map(entryDigest))
  return {
    find: id => byId.get(id) ?? null,
    ids: [...byId.keys()].sort(),
    isGuessable: digest => guessable.has(digest)
  }
}

/** An environment key with what is stored about it. */
export const toEnvironmentRecord = (
  key: ClientKey,
  { revokedAt, revokedReason, tokens }: EnvironmentRecord
): ClientKeyRecord => ({
  ...key,
  revokedAt,
  revokedReason,
  description: null,
  metadata: '{}',
  createdAt: null,
  createdBy: null,
  lastUsedAt: tokens[0]?.lastUsedAt ?? null
})
