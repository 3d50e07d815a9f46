import type { ReadOptions } from '../transaction.ts'
import type { ClientKeyRecord, TokenRecord } from './client-key.ts'
import type { EnvironmentKeys } from './verdict/environment-keys.ts'
import { createInspector } from './verdict/inspection.ts'
import type { Inspect } from './verdict/inspection.ts'
import { createKeyRecords } from './records.ts'
import type { ReadKeys } from './records.ts'
import type { ClientKeyFilter, UsageCount } from './rows.ts'
import { createSecretQueries } from './secret-uses.ts'
import type { SecretQueries } from './secret-uses.ts'
import { generationOf } from './token/token.ts'
import type { TokenOpener } from './token/opener.ts'
import type { Verifier } from './verdict/verifier.ts'
import { dayBefore } from './usage/writer.ts'
import type { KeyStore } from './store.ts'
import { covers } from './policy/scopes.ts'

/** The functions that read keys: see `KeyService`. */
export interface KeyQueries extends SecretQueries {
  find: (id: string) => Promise<ClientKeyRecord>
  /** Returns the key with the given id. If there is none, returns the unrevoked key with that name, or null. */
  resolve: (idOrName: string) => Promise<ClientKeyRecord | null>
  /** Returns at most 100 of a key's tokens, newest first. */
  tokens: (id: string) => Promise<readonly TokenRecord[]>
  /**
   * Returns an allow-list entry for an environment key that doesn't reveal the `key_id`: `sha256:` followed by the
   * digest. Returns null for a managed key, and for an environment key whose `key_id` could be guessed.
   */
  allowListEntry: (id: string) => string | null
  /** Returns the keys that match a filter, ordered by id. Environment keys come last. */
  list: (
    filter: ClientKeyFilter,
    page: KeyPage,
    options?: ReadOptions
  ) => Promise<{ keys: ClientKeyRecord[]; more: boolean }>
  /** Returns the recorded usage of a key over the last `days` days, including today. */
  usage: (id: string, days: number) => Promise<UsageCount[]>
  /**
   * Returns the recorded usage of all keys of an owner, summed over the keys. All addresses are counted under `*`. An
   * owner without keys has no usage.
   */
  usageOfOwner: (owner: string, days: number, options?: ReadOptions) => Promise<UsageCount[]>
  inspect: Inspect
}

export interface KeyQueriesOptions {
  readonly store: Pick<KeyStore, 'read'>
  readonly opener: TokenOpener
  readonly environmentKeys: EnvironmentKeys
  /** The current secret, followed by the previous ones. */
  readonly secrets: readonly string[]
  readonly check: Verifier['check']
}

/** Creates the functions that read keys. */
export const createKeyQueries = (options: KeyQueriesOptions): KeyQueries => {
  const { environmentKeys } = options
  const generations = options.secrets.map(generationOf)
  const read: ReadKeys = async (work, readOptions) =>
    await options.store.read(async ({ keys, now }) => await work(keys, now()), readOptions)
  const records = createKeyRecords({ read, environmentKeys })
  const { find, resolve, tokens } = records

  return {
    find,
    resolve,
    tokens,
    list: createKeyList({ read, environmentKeys, find }),
    inspect: createInspector({ ...options, generations, find, findRecord: records.ofToken }),
    ...createSecretQueries({ read, generations, environmentKeys, findUsed: records.findUsed }),

    allowListEntry: id => {
      const environmentKey = environmentKeys.find(id)
      return environmentKey === null || environmentKeys.isGuessable(environmentKey.digest)
        ? null
        : `sha256:${environmentKey.digest}`
    },

    usage: async (id, days) => {
      await find(id)
      return await read(async (keys, at) => await keys.usage(id, { day: dayBefore(at, days - 1) }))
    },

    usageOfOwner: async (owner, days, readOptions) =>
      await read(async (keys, at) => await keys.usageOfOwner(owner, { day: dayBefore(at, days - 1) }), readOptions)
  }
}

/** A page of keys: at most `limit` keys with ids greater than `after`. */
export interface KeyPage {
  readonly limit: number
  readonly after?: string | undefined
}

export interface KeyListOptions {
  readonly read: ReadKeys
  readonly environmentKeys: EnvironmentKeys
  readonly find: (id: string) => Promise<ClientKeyRecord>
}

/** Creates the function that lists keys, ordered by id. Environment keys come last. */
export const createKeyList =
  ({ read, environmentKeys, find }: KeyListOptions) =>
  async (
    filter: ClientKeyFilter,
    { limit, after }: KeyPage,
    options?: ReadOptions
  ): Promise<{ keys: ClientKeyRecord[]; more: boolean }> => {
    const keys = await read(async (rows, at) => await rows.page(filter, { limit: limit + 1, after, at }), options)
    for (const { key } of environmentKeys.all) {
      if (keys.length > limit) break
      if (after === undefined || key.id > after) keys.push(...[await find(key.id)].filter(key => matches(key, filter)))
    }
    return { keys: keys.slice(0, limit), more: keys.length > limit }
  }

// Environment keys never match `owner`, `expiresBefore` or `generation`, because they have no owner and don't expire,
// and their tokens aren't stored.
const matches = (
  key: ClientKeyRecord,
  { enabled, revoked, expiresBefore, unusedSince, namePrefix, owner, scope, anyOfScopes, generation }: ClientKeyFilter
): boolean =>
  (enabled === undefined || key.enabled === enabled) &&
  (revoked === undefined || (key.revokedAt !== null) === revoked) &&
  expiresBefore === undefined &&
  owner === undefined &&
  generation === undefined &&
  (unusedSince === undefined || key.lastUsedAt === null || key.lastUsedAt < unusedSince) &&
  (namePrefix === undefined || key.name.startsWith(namePrefix)) &&
  (scope === undefined || covers(key.scopes, scope)) &&
  (anyOfScopes === undefined || anyOfScopes.some(each => key.scopes.includes(each)))
