import { hash } from 'node:crypto'
import { v7 as newId } from 'uuid'
import { ClientKeyNotFound, EnvironmentKeyFixed, InvalidFields } from '../errors.ts'
import { allowListKeys, entryDigest, needsLegacyToken } from './allow-list.ts'
import { UNLIMITED, whyDead } from './client-key.ts'
import type { ClientKey, ClientKeyRecord, Dead, KeyChange, TokenRecord } from './client-key.ts'
import type { OpenLegacyToken } from './legacy-token.ts'
import { covers } from './scopes.ts'
import type { Attempt, Author, ClientKeyFilter, ClientKeyStore, GenerationUse, UsageCount } from './store.ts'
import { looksLikeJwt } from './token-shape.ts'
import { claimedGeneration, digestOf, generationOf, issueClientKey } from './token.ts'
import type { IssuedClientKey, OpenedToken, TokenFault, TokenSealer } from './token.ts'

const DAY_MS = 86_400_000
const ATTEMPT_MS = 10 * 60_000
const HINT_LENGTH = 4

/** A key with the two values that exist nowhere else. */
export interface Issued extends IssuedClientKey {
  readonly key: ClientKeyRecord
}

/** A request that may be sent again: who sent it, under which `Idempotency-Key`, asking for what. */
export interface Retryable {
  readonly caller: string
  readonly idempotencyKey: string
  /** What was asked for, as text that is the same for the same request. */
  readonly request: string
}

/** What there is to know of a token, without the token. */
export interface Inspection {
  /** Whether it has the shape of a token and its checksum. */
  readonly wellFormed: boolean
  /** Which secret it says that it was sealed with. */
  readonly generation: string | null
  /** Which of the configured secrets that is. */
  readonly secret: 'current' | 'previous' | null
  readonly allowed: boolean
  /** Why it is not allowed. */
  readonly reason: TokenFault | 'not_allowed' | Dead | null
  /** The key that it stands for, allowed or not. */
  readonly key: ClientKeyRecord | null
}

export interface KeyRegistryOptions {
  readonly store: ClientKeyStore
  readonly sealer: TokenSealer
  /** The current secret, then the earlier ones. */
  readonly secrets: readonly string[]
  readonly allowList: readonly string[]
  /** Opens Trivial's own HS256 tokens, where they are accepted. */
  readonly openLegacyToken?: OpenLegacyToken | undefined
}

/**
 * Every client key there is, managed ones and those of the environment, and what may be done with them. A key that does
 * not exist is a ClientKeyNotFound; changes fail as `ClientKeyStore` says, and environment keys, which can only be
 * revoked, with EnvironmentKeyFixed.
 */
export interface KeyRegistry {
  /** Throws InvalidFields for a key that would be dead from the start. */
  issue: (wanted: KeyChange & { name: string }, author: Author, retryable?: Retryable) => Promise<Issued>
  /**
   * A new token; the older ones are good for so many seconds more. `keep` is given the token before it is good, so that
   * no end of the process can lose one that is: where it throws, the key stays as it is.
   */
  rotate: (
    id: string,
    graceSeconds: number,
    author: Author,
    retryable?: Retryable,
    keep?: (issued: IssuedClientKey) => void
  ) => Promise<Issued & { older: readonly TokenRecord[] }>
  change: (id: string, change: KeyChange, author: Author) => Promise<ClientKeyRecord>
  revoke: (id: string, reason: string | null, author: Author) => Promise<ClientKeyRecord>
  find: (id: string) => Promise<ClientKeyRecord>
  /** The key of this id, else the one of this name that is not revoked; null where there is none. */
  resolve: (idOrName: string) => Promise<ClientKeyRecord | null>
  tokens: (id: string) => Promise<readonly TokenRecord[]>
  /**
   * The entry that would allow an environment key without telling its `key_id`: `sha256:` and its digest. Null for a
   * managed key, and for an environment key whose `key_id` could be guessed.
   */
  allowListEntry: (id: string) => string | null
  list: (filter: ClientKeyFilter, limit: number, after?: string) => Promise<{ keys: ClientKeyRecord[]; more: boolean }>
  /** What was seen of a key in the last so many days, today included. */
  usage: (id: string, days: number) => Promise<UsageCount[]>
  inspect: (token: string) => Promise<Inspection>
  /**
   * Each secret that is configured, and each that tokens still depend on. `secret` names it by the variable that holds
   * it.
   */
  secrets: () => Promise<{ use: GenerationUse; secret: string | null }[]>
  /** The generations that good tokens depend on, of which no secret is configured. */
  orphans: () => Promise<string[]>
}

export const createKeyRegistry = ({
  store,
  sealer,
  secrets,
  allowList,
  openLegacyToken
}: KeyRegistryOptions): KeyRegistry => {
  const environment = allowListKeys(allowList)
  const environmentKeys = new Map([...environment].map(([digest, key]) => [key.id, { key, digest }]))
  // A key_id of another form than the service's own may be a word, which its digest would tell.
  const guessable = new Set(allowList.filter(needsLegacyToken).map(entryDigest))
  const generations = secrets.map(generationOf)

  const environmentRecord = async (key: ClientKey, digest: string): Promise<ClientKeyRecord> => {
    const { revokedAt, revokedReason, tokens } = await store.environmentRecord(key, digest)
    return {
      ...key,
      revokedAt,
      revokedReason,
      description: null,
      metadata: '{}',
      createdAt: null,
      createdBy: null,
      lastUsedAt: tokens[0]?.lastUsedAt ?? null
    }
  }

  const find = async (id: string): Promise<ClientKeyRecord> => {
    const fixed = environmentKeys.get(id)
    const found = fixed === undefined ? await store.find(id) : await environmentRecord(fixed.key, fixed.digest)
    if (found === null) throw new ClientKeyNotFound()
    return found
  }

  const refuseEnvironmentKey = (id: string): void => {
    if (environmentKeys.has(id)) throw new EnvironmentKeyFixed()
  }

  const seal = () => {
    const issued = issueClientKey(sealer)
    const { keyId, keyAccessToken } = issued
    return {
      issued,
      token: { digest: digestOf(keyId), generation: sealer.generation, hint: keyAccessToken.slice(-HINT_LENGTH) }
    }
  }

  return {
    issue: async ({ enabled = true, description = null, metadata = '{}', ...policy }, author, retryable) => {
      const at = new Date()
      const key = { ...UNLIMITED, ...policy, id: newId(), enabled, description, metadata }
      if (key.expiresAt !== null && key.expiresAt <= at) throw new InvalidFields(['expires_at must be in the future'])
      const { issued, token } = seal()
      return { ...issued, key: await store.insert(key, token, at, author, attemptOf(retryable, at)) }
    },

    rotate: async (id, graceSeconds, author, retryable, keep) => {
      refuseEnvironmentKey(id)
      const at = new Date()
      const { issued, token } = seal()
      keep?.(issued)
      const deadline = new Date(at.getTime() + graceSeconds * 1000)
      const rotated = await store.rotate(id, token, at, deadline, author, attemptOf(retryable, at))
      if (rotated === null) throw new ClientKeyNotFound()
      return { ...issued, ...rotated }
    },

    change: async (id, change, author) => {
      refuseEnvironmentKey(id)
      const key = await store.change(id, change, new Date(), author)
      if (key === null) throw new ClientKeyNotFound()
      return key
    },

    revoke: async (id, reason, author) => {
      const fixed = environmentKeys.get(id)
      if (fixed === undefined) {
        const key = await store.revoke(id, reason, new Date(), author)
        if (key === null) throw new ClientKeyNotFound()
        return key
      }
      await store.revokeEnvironmentKey(fixed.key, fixed.digest, reason, new Date(), author)
      return await environmentRecord(fixed.key, fixed.digest)
    },

    find,

    resolve: async idOrName => {
      const fixed = environmentKeys.get(idOrName)
      if (fixed !== undefined) return await environmentRecord(fixed.key, fixed.digest)
      return (await store.find(idOrName)) ?? (await store.findByName(idOrName))
    },

    tokens: async id => {
      const fixed = environmentKeys.get(id)
      return fixed === undefined
        ? await store.tokens(id)
        : (await store.environmentRecord(fixed.key, fixed.digest)).tokens
    },

    allowListEntry: id => {
      const digest = environmentKeys.get(id)?.digest
      return digest === undefined || guessable.has(digest) ? null : `sha256:${digest}`
    },

    // Ordered by id, in which environment keys come last.
    list: async (filter, limit, after) => {
      const page = await store.page(filter, limit + 1, after)
      const keys = page.keys
      for (const id of page.more ? [] : [...environmentKeys.keys()].sort()) {
        if (keys.length > limit) break
        if (after === undefined || id > after) keys.push(...[await find(id)].filter(key => matches(key, filter)))
      }
      return { keys: keys.slice(0, limit), more: keys.length > limit }
    },

    usage: async (id, days) => {
      await find(id)
      return await store.usage(id, new Date(Date.now() - (days - 1) * DAY_MS).toISOString().slice(0, 10))
    },

    inspect: async token => {
      const isLegacy = openLegacyToken !== undefined && looksLikeJwt(token)
      const opened = isLegacy ? openedLegacy(openLegacyToken(token)) : sealer.open(token)
      const generation = opened.ok ? opened.generation : claimedGeneration(token)
      const place = generation === null ? -1 : generations.indexOf(generation)
      const about = {
        wellFormed: isLegacy || generation !== null,
        generation,
        secret: place < 0 ? null : place === 0 ? 'current' : 'previous'
      } as const
      if (!opened.ok) return { ...about, allowed: false, reason: opened.fault, key: null }

      const digest = digestOf(opened.keyId)
      const known = await store.findByDigest(digest)
      if (known !== null) {
        const reason = isLegacy ? 'not_allowed' : whyDead(known, Date.now())
        return { ...about, allowed: reason === null, reason, key: await find(known.key.id) }
      }
      const key = environment.get(digest)
      if (key === undefined) return { ...about, allowed: false, reason: 'not_allowed', key: null }
      const record = await environmentRecord(key, digest)
      const reason = record.revokedAt === null ? null : 'key_revoked'
      return { ...about, allowed: reason === null, reason, key: record }
    },

    secrets: async () => {
      const uses = await store.generations(new Date())
      const unused = generations
        .filter(generation => !uses.some(use => use.generation === generation && use.source === 'managed'))
        .map((generation): GenerationUse => ({ generation, source: 'managed', liveTokens: 0, lastUsedAt: null }))
      const place = ({ generation }: GenerationUse): number => generations.indexOf(generation)
      return [...uses, ...unused]
        .filter(use => place(use) >= 0 || use.liveTokens !== 0)
        .sort((a, b) => (place(a) >>> 0) - (place(b) >>> 0))
        .map(use => ({
          use,
          secret: place(use) < 0 ? null : place(use) === 0 ? 'CLIENT_SECRET' : 'CLIENT_SECRET_PREVIOUS'
        }))
    },

    orphans: async () => await store.orphans(generations, new Date())
  }
}

const openedLegacy = (opened: ReturnType<OpenLegacyToken>): OpenedToken =>
  opened === null ? { ok: false, fault: 'forged' } : { ok: true, ...opened }

const attemptOf = (retryable: Retryable | undefined, at: Date): Attempt | null =>
  retryable === undefined
    ? null
    : {
        caller: retryable.caller,
        keyHash: hash('sha256', retryable.idempotencyKey),
        requestHash: hash('sha256', retryable.request),
        since: new Date(at.getTime() - ATTEMPT_MS)
      }

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
