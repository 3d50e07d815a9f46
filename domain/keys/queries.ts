import { ClientKeyNotFound } from '../errors.ts'
import type { ReadOptions } from '../transaction.ts'
import type { ClientKeyRecord, TokenRecord } from './client-key.ts'
import { toEnvironmentRecord } from './verdict/environment-keys.ts'
import type { EnvironmentKey, EnvironmentKeys } from './verdict/environment-keys.ts'
import { createInspector } from './verdict/inspection.ts'
import type { Inspect } from './verdict/inspection.ts'
import type { ClientKeyFilter, KeyReads, UsageCount, GenerationUse } from './rows.ts'
import { generationOf } from './token/token.ts'
import type { TokenOpener } from './token/opener.ts'
import type { Verifier } from './verdict/verifier.ts'
import { MAX_TOKENS, withoutDigest } from './lifecycle/tokens.ts'
import { dayBefore } from './usage/writer.ts'
import type { KeyStore } from './store.ts'
import { covers } from './policy/scopes.ts'

/** The functions that read keys: see `KeyService`. */
export interface KeyQueries {
  find: (id: string) => Promise<ClientKeyRecord>
  /** Returns the key with this id, or else the key with this name that isn't revoked, or null if there is neither. */
  resolve: (idOrName: string) => Promise<ClientKeyRecord | null>
  /** Returns the tokens of a key, newest first, at most 100. */
  tokens: (id: string) => Promise<readonly TokenRecord[]>
  /**
   * Returns an allow-list entry for an environment key that doesn't reveal its `key_id`: `sha256:` and its digest.
   * Returns null for a managed key, and for an environment key whose `key_id` could be guessed.
   */
  allowListEntry: (id: string) => string | null
  /** Returns keys ordered by id; environment keys come last. */
  list: (
    filter: ClientKeyFilter,
    page: KeyPage,
    options?: ReadOptions
  ) => Promise<{ keys: ClientKeyRecord[]; more: boolean }>
  /** Returns the recorded usage of a key in the last `days` days, including today. */
  usage: (id: string, days: number) => Promise<UsageCount[]>
  inspect: Inspect
  /** Returns every configured secret, and every secret that active tokens depend on. */
  secrets: () => Promise<SecretUse[]>
  /** Returns the generations that active tokens depend on, but for which no secret is configured. */
  orphans: () => Promise<string[]>
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

  const findFixed = async ({ key, digest }: EnvironmentKey): Promise<ClientKeyRecord> =>
    toEnvironmentRecord(key, await read(async keys => await keys.environmentRecord({ id: key.id, digest })))

  const find = async (id: string): Promise<ClientKeyRecord> => {
    const fixed = environmentKeys.find(id)
    const found = fixed === null ? await read(async keys => await keys.find(id)) : await findFixed(fixed)
    if (found === null) throw new ClientKeyNotFound()
    return found
  }

  return {
    find,
    list: createKeyList({ read, environmentKeys, find }),
    inspect: createInspector({ ...options, generations, find }),

    resolve: async idOrName => {
      const fixed = environmentKeys.find(idOrName)
      if (fixed !== null) return await findFixed(fixed)
      return await read(async keys => (await keys.find(idOrName)) ?? (await keys.findByName(idOrName)))
    },

    tokens: async id => {
      const fixed = environmentKeys.find(id)
      return fixed === null
        ? (await read(async keys => await keys.tokens(id, { limit: MAX_TOKENS }))).map(withoutDigest)
        : (await read(async keys => await keys.environmentRecord({ id, digest: fixed.digest }))).tokens
    },

    allowListEntry: id => {
      const fixed = environmentKeys.find(id)
      return fixed === null || environmentKeys.isGuessable(fixed.digest) ? null : `sha256:${fixed.digest}`
    },

    usage: async (id, days) => {
      await find(id)
      return await read(async (keys, at) => await keys.usage(id, { day: dayBefore(at, days - 1) }))
    },

    secrets: async () => secretUses(generations, await read(async (keys, at) => await keys.generations(at))),

    orphans: async () => await read(async (keys, at) => await keys.otherGenerations(generations, at))
  }
}

/** A page of keys: at most `limit`, after the id `after`. */
export interface KeyPage {
  readonly limit: number
  readonly after?: string | undefined
}

/** Reads keys as of now. */
type ReadKeys = <T>(work: (keys: KeyReads, at: Date) => Promise<T>, options?: ReadOptions) => Promise<T>

export interface KeyListOptions {
  readonly read: ReadKeys
  readonly environmentKeys: EnvironmentKeys
  readonly find: (id: string) => Promise<ClientKeyRecord>
}

/** Creates the function that lists keys ordered by id; environment keys come last. */
export const createKeyList =
  ({ read, environmentKeys, find }: KeyListOptions) =>
  async (
    filter: ClientKeyFilter,
    { limit, after }: KeyPage,
    options?: ReadOptions
  ): Promise<{ keys: ClientKeyRecord[]; more: boolean }> => {
    const keys = await read(async (rows, at) => await rows.page(filter, { limit: limit + 1, after, at }), options)
    for (const id of environmentKeys.ids) {
      if (keys.length > limit) break
      if (after === undefined || id > after) keys.push(...[await find(id)].filter(key => matches(key, filter)))
    }
    return { keys: keys.slice(0, limit), more: keys.length > limit }
  }

// Environment keys don't expire, and their tokens aren't stored.
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

/** A secret that is configured, or that active tokens depend on. */
export interface SecretUse {
  readonly use: GenerationUse
  /** The variable that contains the secret, or null if the secret isn't configured. */
  readonly secret: string | null
}

/**
 * Returns every configured secret, and every secret that active tokens depend on. The configured ones come first, in
 * the order of `generations`, beginning with the current one.
 */
export const secretUses = (generations: readonly string[], uses: readonly GenerationUse[]): SecretUse[] => {
  const positionOf = ({ generation }: GenerationUse): number => generations.indexOf(generation)
  const variableOf = (use: GenerationUse): string | null => {
    if (positionOf(use) < 0) return null
    return positionOf(use) === 0 ? 'CLIENT_SECRET' : 'CLIENT_SECRET_PREVIOUS'
  }
  const unused = generations
    .filter(generation => !uses.some(use => use.generation === generation && use.source === 'managed'))
    .map((generation): GenerationUse => ({ generation, source: 'managed', liveTokens: 0, lastUsedAt: null }))
  return [...uses, ...unused]
    .filter(use => positionOf(use) >= 0 || use.liveTokens !== 0)
    .sort((a, b) => (positionOf(a) >>> 0) - (positionOf(b) >>> 0))
    .map(use => ({ use, secret: variableOf(use) }))
}
