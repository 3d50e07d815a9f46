import { covers } from '../../domain/keys/policy/scopes.ts'
import type { ClientKeyRecord, KnownToken, TokenRecord } from '../../domain/keys/client-key.ts'
import type { ClientKeyFilter, GenerationUse, KeyReads, UsageCount } from '../../domain/keys/rows.ts'
import { ALL_ADDRESSES, createUsageSums } from '../owned-keys.ts'
import type { TokenRow, Tables } from './tables.ts'

const isBeforeEnd = (end: Date | null, at: Date): boolean => end === null || end > at

/** Returns whether the token is neither revoked nor expired, regardless of its key. */
export const isActiveByItself = ({ revokedAt, expiresAt }: TokenRow, at: Date): boolean =>
  revokedAt === null && isBeforeEnd(expiresAt, at)

/** Creates a comparison function that sorts values by the results of `of`, in ascending order. */
export const by =
  <V>(of: (value: V) => string | number) =>
  (a: V, b: V): number => {
    const [first, second] = [of(a), of(b)]
    if (first === second) return 0
    return first < second ? -1 : 1
  }

/** Returns the token with the given digest, in the form that authentication uses. */
export const findToken = (tables: Tables, digest: string): KnownToken | null => {
  const token = tables.tokens.get(digest)
  const key = token === undefined ? undefined : tables.keys.get(token.clientKeyId)
  if (token === undefined || key === undefined) return null
  const { id, name, source, owner, scopes, expiresAt, enabled, allowedIps, rateLimit, revokedAt, metadata } = key
  return {
    key: { id, name, source, owner, scopes, expiresAt, enabled, allowedIps, rateLimit, revokedAt },
    digest,
    generation: token.generation,
    ref: digest,
    expiresAt: token.expiresAt,
    revokedAt: token.revokedAt,
    createdAt: token.createdAt,
    metadata: JSON.stringify(metadata)
  }
}

export const findRevocation = ({ revocations }: Tables, digest: string): Date | null =>
  revocations.get(digest)?.at ?? null

/** Returns the key's tokens, newest first. */
export const tokensOf = ({ tokens }: Tables, id: string): TokenRow[] =>
  tokens
    .values()
    .filter(token => token.clientKeyId === id)
    .sort(by(({ createdAt }) => -createdAt.getTime()))

const toTokenRecord = (token: TokenRecord): TokenRecord => ({
  generation: token.generation,
  hint: token.hint,
  createdAt: token.createdAt,
  expiresAt: token.expiresAt,
  revokedAt: token.revokedAt,
  lastUsedAt: token.lastUsedAt,
  lastUsedIp: token.lastUsedIp,
  lastUsedAgent: token.lastUsedAgent,
  useCount: token.useCount
})

const isActive = ({ keys }: Tables, token: TokenRow, at: Date): boolean => {
  const key = keys.get(token.clientKeyId)
  return key?.revokedAt === null && isBeforeEnd(key.expiresAt, at) && isActiveByItself(token, at)
}

const isBefore = (timestamp: Date | null, end: Date): boolean => timestamp !== null && timestamp < end

const matches = (tables: Tables, key: ClientKeyRecord, filter: ClientKeyFilter, at: Date): boolean => {
  const { enabled, revoked, expiresBefore, unusedSince, namePrefix, owner, scope, anyOfScopes, generation } = filter
  return (
    (enabled === undefined || key.enabled === enabled) &&
    (revoked === undefined || (key.revokedAt !== null) === revoked) &&
    (expiresBefore === undefined || isBefore(key.expiresAt, expiresBefore)) &&
    (unusedSince === undefined ||
      (isBefore(key.createdAt, unusedSince) && (key.lastUsedAt === null || key.lastUsedAt < unusedSince))) &&
    (namePrefix === undefined || key.name.startsWith(namePrefix)) &&
    (owner === undefined || key.owner === owner) &&
    (scope === undefined || covers(key.scopes, scope)) &&
    (anyOfScopes === undefined || anyOfScopes.some(each => key.scopes.includes(each))) &&
    (generation === undefined ||
      tokensOf(tables, key.id).some(token => token.generation === generation && isActive(tables, token, at)))
  )
}

const latest = (timestamps: readonly (Date | null)[]): Date | null =>
  timestamps.filter(timestamp => timestamp !== null).sort(by(timestamp => -timestamp.getTime()))[0] ?? null

const generationsOf = (tables: Tables, at: Date): GenerationUse[] => {
  const tokens = tables.tokens.values()
  return [...new Set(tokens.map(({ generation }) => generation))].sort().map(generation => {
    const own = tokens.filter(token => token.generation === generation)
    const activeTokens = own.filter(token => isActive(tables, token, at)).length
    return { generation, activeTokens, lastUsedAt: latest(own.map(token => token.lastUsedAt)) }
  })
}

const usageOf = ({ usage }: Tables, id: string, day: string): UsageCount[] =>
  usage
    .values()
    .filter(count => count.clientKeyId === id && count.day >= day)
    .sort(by(({ label }) => label))
    .sort(by(({ count }) => -count))
    .sort(by(({ day, kind }) => day + kind))
    .map(({ clientKeyId, ...count }) => count)

const usageOfOwner = (tables: Tables, owner: string, day: string): UsageCount[] => {
  const sums = createUsageSums()
  for (const { id } of tables.keys.values().filter(key => key.owner === owner)) {
    const counts = usageOf(tables, id, day)
    sums.add(counts.map(count => (count.kind === 'address' ? { ...count, label: ALL_ADDRESSES } : count)))
  }
  return sums.all()
}

/** Returns the keys of the given owner that aren't revoked. */
export const activeKeysOf = ({ keys }: Tables, owner: string): ClientKeyRecord[] =>
  keys.values().filter(key => key.owner === owner && key.revokedAt === null)

export const createKeyReads = (tables: Tables): KeyReads => ({
  find: async id => tables.keys.get(id) ?? null,
  findByName: async name => tables.keys.values().find(key => key.name === name && key.revokedAt === null) ?? null,
  findToken: async digest => findToken(tables, digest),
  findRevocation: async digest => findRevocation(tables, digest),

  page: async (filter, { limit, after = '', at }) =>
    tables.keys
      .values()
      .filter(key => key.id > after && matches(tables, key, filter, at))
      .sort(by(({ id }) => id))
      .slice(0, limit),

  tokens: async (id, { limit }) =>
    tokensOf(tables, id)
      .slice(0, limit)
      .map(({ clientKeyId, ...token }) => token),

  environmentRecord: async ({ id, digest }) => ({
    revokedAt: findRevocation(tables, digest),
    revokedReason: tables.revocations.get(digest)?.reason ?? null,
    tokens: tables.environmentTokens
      .values()
      .filter(({ clientKeyId }) => clientKeyId === id)
      .sort(by(({ lastUsedAt }) => -lastUsedAt.getTime()))
      .map(toTokenRecord)
  }),

  usage: async (id, { day }) => usageOf(tables, id, day),
  usageOfOwner: async (owner, { day }) => usageOfOwner(tables, owner, day),
  policiesOfOwner: async owner => activeKeysOf(tables, owner),
  generations: async at => generationsOf(tables, at),

  otherGenerations: async (known, at) =>
    generationsOf(tables, at)
      .filter(({ generation, activeTokens }) => !known.includes(generation) && activeTokens !== 0)
      .map(({ generation }) => generation)
})
