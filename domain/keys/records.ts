import { ClientKeyNotFound } from '../errors.ts'
import type { ReadOptions } from '../transaction.ts'
import type { ClientKeyRecord, KnownToken, TokenRecord } from './client-key.ts'
import { MAX_TOKENS, withoutDigest } from './lifecycle/tokens.ts'
import type { KeyReads, StoredToken } from './rows.ts'
import { toEnvironmentRecord } from './verdict/environment-keys.ts'
import type { EnvironmentKey, EnvironmentKeys } from './verdict/environment-keys.ts'

/** Runs `work` with the stored keys and the current time. */
export type ReadKeys = <T>(work: (keys: KeyReads, at: Date) => Promise<T>, options?: ReadOptions) => Promise<T>

/** An environment key and its tokens that have been used, most recently used first. */
export interface UsedEnvironmentKey {
  readonly key: ClientKeyRecord
  readonly tokens: readonly TokenRecord[]
}

/** The functions that read single keys and tokens. */
export interface KeyRecords {
  /** Returns the key with the given id. Throws ClientKeyNotFound if there is none. */
  readonly find: (id: string) => Promise<ClientKeyRecord>
  /** Returns the key with the given id. If there is none, returns the unrevoked key with that name, or null. */
  readonly resolve: (idOrName: string) => Promise<ClientKeyRecord | null>
  /** Returns at most 100 of a key's tokens, newest first. */
  readonly tokens: (id: string) => Promise<readonly TokenRecord[]>
  /** Returns an environment key with its recorded uses. */
  readonly findUsed: (key: EnvironmentKey) => Promise<UsedEnvironmentKey>
  /** Returns the stored record of a token. If there is none, returns a record with only the data in `token`. */
  readonly ofToken: (token: KnownToken) => Promise<TokenRecord>
}

/** Creates the functions that read single keys and tokens. */
export const createKeyRecords = ({
  read,
  environmentKeys
}: {
  readonly read: ReadKeys
  readonly environmentKeys: EnvironmentKeys
}): KeyRecords => {
  const findUsed = async ({ key, digest }: EnvironmentKey): Promise<UsedEnvironmentKey> => {
    const record = await read(async keys => await keys.environmentRecord({ id: key.id, digest }))
    return { key: toEnvironmentRecord(key, record), tokens: record.tokens }
  }

  const findEnvironmentKey = async (id: string): Promise<UsedEnvironmentKey | null> => {
    const configured = environmentKeys.find(id)
    return configured === null ? null : await findUsed(configured)
  }

  return {
    findUsed,

    find: async id => {
      const found = (await findEnvironmentKey(id))?.key ?? (await read(async keys => await keys.find(id)))
      if (found === null) throw new ClientKeyNotFound()
      return found
    },

    resolve: async idOrName =>
      (await findEnvironmentKey(idOrName))?.key ??
      (await read(async keys => (await keys.find(idOrName)) ?? (await keys.findByName(idOrName)))),

    tokens: async id => (await findEnvironmentKey(id))?.tokens ?? (await storedTokens(read, id)).map(withoutDigest),

    ofToken: async token => {
      const { key, digest, generation } = token
      const used = await findEnvironmentKey(key.id)
      const records =
        used === null
          ? (await storedTokens(read, key.id)).filter(stored => stored.digest === digest).map(withoutDigest)
          : used.tokens.filter(record => record.generation === generation)
      return records[0] ?? unusedRecord(token)
    }
  }
}

const storedTokens = async (read: ReadKeys, id: string): Promise<StoredToken[]> =>
  await read(async keys => await keys.tokens(id, { limit: MAX_TOKENS }))

const unusedRecord = ({ generation, expiresAt, revokedAt }: KnownToken): TokenRecord => ({
  generation,
  hint: null,
  createdAt: null,
  expiresAt,
  revokedAt,
  lastUsedAt: null,
  lastUsedIp: null,
  lastUsedAgent: null,
  useCount: 0
})
