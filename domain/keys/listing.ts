import type { ReadOptions } from '../transaction.ts'
import type { ClientKeyRecord } from './client-key.ts'
import type { EnvironmentKeys } from './verdict/environment-keys.ts'
import type { ClientKeyFilter, KeyReads } from './rows.ts'
import { covers } from './policy/scopes.ts'

/** A page of keys: at most `limit`, after the id `after`. */
export interface KeyPage {
  readonly limit: number
  readonly after?: string | undefined
}

export interface KeyListOptions {
  readonly read: <T>(work: (keys: KeyReads) => Promise<T>, options?: ReadOptions) => Promise<T>
  readonly environmentKeys: EnvironmentKeys
  readonly find: (id: string) => Promise<ClientKeyRecord>
}

/** Makes the function that lists keys, ordered by id; environment keys come last. */
export const createKeyList =
  ({ read, environmentKeys, find }: KeyListOptions) =>
  async (
    filter: ClientKeyFilter,
    { limit, after }: KeyPage,
    options?: ReadOptions
  ): Promise<{ keys: ClientKeyRecord[]; more: boolean }> => {
    const page = { limit: limit + 1, after, at: new Date() }
    const keys = await read(async rows => await rows.page(filter, page), options)
    for (const id of environmentKeys.ids) {
      if (keys.length > limit) break
      if (after === undefined || id > after) keys.push(...[await find(id)].filter(key => matches(key, filter)))
    }
    return { keys: keys.slice(0, limit), more: keys.length > limit }
  }

// An environment key has no expiry, and no token of it is stored.
const matches = (
  key: ClientKeyRecord,
  { enabled, revoked, expiresBefore, unusedSince, namePrefix, scope, generation }: ClientKeyFilter
): boolean =>
  (enabled === undefined || key.enabled === enabled) &&
  (revoked === undefined || (key.revokedAt !== null) === revoked) &&
  expiresBefore === undefined &&
  generation === undefined &&
  (unusedSince === undefined || key.lastUsedAt === null || key.lastUsedAt < unusedSince) &&
  (namePrefix === undefined || key.name.startsWith(namePrefix)) &&
  (scope === undefined || covers(key.scopes, scope))
