import { randomUUID } from 'node:crypto'
import type { ClientKeyRecord, TokenRecord } from '../../domain/keys/client-key.ts'
import type { KeyRows, KeyUsageCount, ManagedUsage, TokenUsage } from '../../domain/keys/rows.ts'
import { activeKeysOf, createKeyReads, tokensOf } from './key-reads.ts'
import type { Table, Tables } from './tables.ts'

type RecordRows = 'advanceRevision' | 'insert' | 'update' | 'revoke' | 'revokeOwner' | 'revokeEnvironmentKey'
type TokenRows = 'insertToken' | 'expireTokens' | 'revokeTokens' | 'revokeToken' | 'removeTokens'
type IdempotencyRows =
  'findIdempotencyRecord' | 'insertIdempotencyRecord' | 'updateIdempotencyRecord' | 'removeIdempotencyRecords'
type UsageRows = 'addTokenUsage' | 'addEnvironmentUsage' | 'lockUsageLabels' | 'addUsage' | 'removeUsage'

export const createKeyRows = (tables: Tables): KeyRows => ({
  ...createKeyReads(tables),
  ...createRecordRows(tables),
  ...createSecretRows(tables),
  ...createTokenRows(tables),
  ...createIdempotencyRows(tables),
  ...createUsageRows(tables)
})

const idOf = (...parts: string[]): string => JSON.stringify(parts)

const change = <V extends object>(table: Table<V>, id: string, changes: Partial<V>): void => {
  const value = table.get(id)
  if (value !== undefined) table.set(id, { ...value, ...changes })
}

const createRecordRows = (tables: Tables): Pick<KeyRows, RecordRows> => {
  const { keys, revocations, revision } = tables
  const revoke: KeyRows['revoke'] = async (id, { at, reason }) => {
    change(keys, id, { revokedAt: at, revokedReason: reason })
  }
  return {
    advanceRevision: async () => {
      const next = (revision.get('') ?? 0) + 1
      revision.set('', next)
      return { position: Promise.resolve({ epoch: next, nonce: randomUUID() }) }
    },
    insert: async key => {
      keys.set(key.id, key)
    },
    update: async (id, changes) => {
      change<ClientKeyRecord>(keys, id, changes)
    },
    revoke,
    revokeOwner: async (owner, revocation) => {
      const policies = activeKeysOf(tables, owner)
      for (const { id } of policies) await revoke(id, revocation)
      return { count: policies.length, policies }
    },
    revokeEnvironmentKey: async (digest, revocation) => {
      revocations.set(digest, revocation)
    }
  }
}

const createSecretRows = ({ secrets }: Tables): Pick<KeyRows, 'secretState' | 'recordGenerations'> => ({
  secretState: async () => ({ recorded: secrets.values().sort(), nodes: [] }),
  recordGenerations: async generations => {
    for (const generation of secrets.values()) secrets.delete(generation)
    for (const generation of generations) secrets.set(generation, generation)
  }
})

const NEVER_USED = { lastUsedAt: null, lastUsedIp: null, lastUsedAgent: null, useCount: 0 }

const createTokenRows = (tables: Tables): Pick<KeyRows, TokenRows> => {
  const { tokens } = tables
  return {
    insertToken: async (clientKeyId, token, createdAt) => {
      tokens.set(token.digest, { ...NEVER_USED, ...token, clientKeyId, createdAt, expiresAt: null, revokedAt: null })
    },
    expireTokens: async (id, expiresAt) => {
      for (const token of tokensOf(tables, id)) {
        if (token.expiresAt === null || token.expiresAt > expiresAt) tokens.set(token.digest, { ...token, expiresAt })
      }
    },
    revokeTokens: async (id, at) => {
      for (const { digest, revokedAt } of tokensOf(tables, id)) {
        if (revokedAt === null) change(tokens, digest, { revokedAt: at })
      }
    },
    revokeToken: async (digest, at) => {
      if (tokens.get(digest)?.revokedAt === null) change(tokens, digest, { revokedAt: at })
    },
    removeTokens: async digests => {
      for (const digest of digests) tokens.delete(digest)
    }
  }
}

const createIdempotencyRows = ({ requests }: Tables): Pick<KeyRows, IdempotencyRows> => ({
  findIdempotencyRecord: async (requester, keyHash) => requests.get(idOf(requester, keyHash)) ?? null,
  insertIdempotencyRecord: async record => {
    requests.set(idOf(record.requester, record.keyHash), record)
  },
  updateIdempotencyRecord: async ({ requester, keyHash, tokenDigest }) => {
    change(requests, idOf(requester, keyHash), { tokenDigest })
  },
  removeIdempotencyRecords: async until => {
    for (const { requester, keyHash, at } of requests.values()) {
      if (at <= until) requests.delete(idOf(requester, keyHash))
    }
  }
})

/** Adds the given uses to the token. Its last use is then the latest of all its uses. */
const used = <T extends TokenRecord>(token: T, { count, lastUsedAt, lastUsedIp, lastUsedAgent }: TokenUsage): T => {
  const isLatest = token.lastUsedAt === null || token.lastUsedAt < lastUsedAt
  return { ...token, ...(isLatest ? { lastUsedAt, lastUsedIp, lastUsedAgent } : {}), useCount: token.useCount + count }
}

const usageId = ({ id, day, kind, label }: KeyUsageCount): string => idOf(id, day, kind, label)

const addToken = ({ keys, tokens }: Tables, { digest, ...more }: ManagedUsage): void => {
  const token = tokens.get(digest)
  const key = token === undefined ? undefined : keys.get(token.clientKeyId)
  // The use of a deleted token isn't recorded.
  if (token === undefined || key === undefined) return
  tokens.set(digest, used(token, more))
  const isLatest = key.lastUsedAt === null || key.lastUsedAt < more.lastUsedAt
  if (isLatest) keys.set(key.id, { ...key, lastUsedAt: more.lastUsedAt })
}

const createUsageRows = (tables: Tables): Pick<KeyRows, UsageRows> => {
  const { environmentTokens, usage } = tables
  return {
    addTokenUsage: async uses => {
      for (const use of uses) addToken(tables, use)
    },
    addEnvironmentUsage: async uses => {
      for (const { id: clientKeyId, generation, count, ...use } of uses) {
        const id = idOf(clientKeyId, generation)
        const unused = { clientKeyId, generation, hint: null, createdAt: null, expiresAt: null, revokedAt: null }
        const known = environmentTokens.get(id) ?? { ...unused, ...use, useCount: 0 }
        environmentTokens.set(id, used(known, { count, ...use }))
      }
    },
    lockUsageLabels: async counts =>
      counts.map(count => ({
        ...count,
        isStored: usage.get(usageId(count)) !== undefined,
        labels: usage
          .values()
          .filter(({ clientKeyId, day, kind }) => clientKeyId === count.id && day === count.day && kind === count.kind)
          .length
      })),
    addUsage: async counts => {
      for (const { id, ...count } of counts) {
        const known = usage.get(usageId({ id, ...count }))
        const times = count.count + (known?.count ?? 0)
        usage.set(usageId({ id, ...count }), { ...count, clientKeyId: id, count: times })
      }
    },
    removeUsage: async ({ day }) => {
      for (const count of usage.values()) {
        if (count.day < day) usage.delete(usageId({ id: count.clientKeyId, ...count }))
      }
    }
  }
}
