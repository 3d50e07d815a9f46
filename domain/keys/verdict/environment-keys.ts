import type { ClientKey, ClientKeyRecord } from '../client-key.ts'
import type { EnvironmentRecord } from '../rows.ts'
import { environmentKey } from '../client-key.ts'
import { looksLikeToken } from '../token/shape.ts'
import { digestOf } from '../token/token.ts'

const DIGEST_ENTRY = /^sha256:([0-9a-f]{64})$/i
const KEY_ID = /^[0-9a-f]{32}$/

/**
 * Returns the problem with an allow-list entry, or null if there is none. The problem is worded as the end of a
 * sentence, and doesn't repeat the entry.
 */
export const allowListIssue = (entry: string): string | null => {
  if (looksLikeToken(entry)) {
    return 'looks like a key_access_token; use the key_id instead (npm run key:issue prints both)'
  }
  if (entry.toLowerCase().startsWith('sha256:') && !DIGEST_ENTRY.test(entry)) {
    return 'starts with sha256: but 64 hexadecimal digits do not follow; copy the whole digest'
  }
  return null
}

/**
 * Returns whether only legacy JWTs can contain the `key_id` of an entry. The `key_id` in a sealed token always has 32
 * hexadecimal digits.
 */
export const needsLegacyToken = (entry: string): boolean => !DIGEST_ENTRY.test(entry) && !KEY_ID.test(entry)

/** Returns the digest of an entry: the hash of a `key_id`, or the digits of `sha256:<64 hex>`. */
export const entryDigest = (entry: string): string => DIGEST_ENTRY.exec(entry)?.[1]?.toLowerCase() ?? digestOf(entry)

/** Returns the keys of an allow-list of `key_id`s or `sha256:<64 hex>` digests, by digest. */
export const allowListKeys = (entries: Iterable<string>): ReadonlyMap<string, ClientKey> => {
  const keys = new Map<string, ClientKey>()
  for (const entry of entries) {
    const digest = entryDigest(entry)
    keys.set(digest, environmentKey(digest))
  }
  return keys
}

/** A key of the allow-list, and the digest that identifies it. */
export interface EnvironmentKey {
  readonly key: ClientKey
  readonly digest: string
}

/** The keys of an allow-list. */
export interface EnvironmentKeys {
  readonly find: (id: string) => EnvironmentKey | null
  /** All keys, ordered by id. */
  readonly all: readonly EnvironmentKey[]
  /** Returns whether the `key_id` with the given digest could be found by guessing. */
  readonly isGuessable: (digest: string) => boolean
}

export const createEnvironmentKeys = (allowList: readonly string[]): EnvironmentKeys => {
  const byDigest = new Map([...allowListKeys(allowList)].map(([digest, key]) => [digest, { key, digest }]))
  const byId = new Map([...byDigest.values()].map(found => [found.key.id, found]))
  // A key_id that doesn't have the service's own format may be a word, which could be guessed from its digest.
  const guessable = new Set(allowList.filter(needsLegacyToken).map(entryDigest))
  return {
    find: id => byId.get(id) ?? null,
    all: Array.from([...byId].sort(), ([, found]) => found),
    isGuessable: digest => guessable.has(digest)
  }
}

/** Returns an environment key with its stored data. */
export const toEnvironmentRecord = (
  key: ClientKey,
  { revokedAt, revokedReason, tokens }: EnvironmentRecord
): ClientKeyRecord => ({
  ...key,
  revokedAt,
  revokedReason,
  description: null,
  metadata: {},
  createdAt: null,
  createdBy: null,
  lastUsedAt: tokens[0]?.lastUsedAt ?? null
})
