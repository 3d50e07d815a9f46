import type { ClientKey, ClientKeyRecord } from '../client-key.ts'
import type { EnvironmentRecord } from '../rows.ts'
import { environmentKey } from '../client-key.ts'
import { looksLikeToken } from '../token/shape.ts'
import { digestOf } from '../token/token.ts'

const DIGEST_ENTRY = /^sha256:([0-9a-f]{64})$/i
const KEY_ID = /^[0-9a-f]{32}$/

/** What is wrong with an allow-list entry, as the end of a sentence that does not repeat it; null: nothing is. */
export const allowListIssue = (entry: string): string | null => {
  if (looksLikeToken(entry)) {
    return 'looks like a key_access_token; put the key_id there (npm run key:issue prints both)'
  }
  if (entry.toLowerCase().startsWith('sha256:') && !DIGEST_ENTRY.test(entry)) {
    return 'starts with sha256: but is not followed by 64 hexadecimal digits; copy the whole digest'
  }
  return null
}

/** Whether only a legacy JWT can present this entry's key: the `key_id` in a sealed token is 32 hexadecimal digits. */
export const needsLegacyToken = (entry: string): boolean => !DIGEST_ENTRY.test(entry) && !KEY_ID.test(entry)

/** The digest an entry stands for: of a `key_id` it is computed, of `sha256:<64 hex>` it is read. */
export const entryDigest = (entry: string): string => DIGEST_ENTRY.exec(entry)?.[1]?.toLowerCase() ?? digestOf(entry)

/** The keys of an allow-list of `key_id`s or `sha256:<64 hex>` digests, by digest. */
export const allowListKeys = (entries: Iterable<string>): ReadonlyMap<string, ClientKey> => {
  const keys = new Map<string, ClientKey>()
  for (const entry of entries) {
    const digest = entryDigest(entry)
    keys.set(digest, environmentKey(digest))
  }
  return keys
}

/** A key of the allow-list, with the digest by which it is found. */
export interface EnvironmentKey {
  readonly key: ClientKey
  readonly digest: string
}

/** The keys of an allow-list. */
export interface EnvironmentKeys {
  readonly find: (id: string) => EnvironmentKey | null
  /** All of them, ordered by id. */
  readonly all: readonly EnvironmentKey[]
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
    all: Array.from([...byId].sort(), ([, found]) => found),
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
