import type { Audit } from '../../domain/audits/audit.ts'
import type { ClientKeyRecord, TokenRecord } from '../../domain/keys/client-key.ts'
import type { IdempotencyRecord, Revocation, StoredToken, UsageCount } from '../../domain/keys/rows.ts'

/** Values by id, in the order in which they were added. Values are replaced, never modified. */
export interface Table<V> {
  get: (id: string) => V | undefined
  set: (id: string, value: V) => void
  delete: (id: string) => void
  values: () => V[]
}

/** A table as seen by a transaction: the committed values, overlaid with the transaction's own writes. */
interface Draft<V> extends Table<V> {
  commit: () => void
}

interface Committed<V> extends Table<V> {
  draft: () => Draft<V>
}

const createTable = <V>(): Committed<V> => {
  const rows = new Map<string, V>()
  const table = tableOf(rows)
  return { ...table, draft: () => createDraft(rows) }
}

const tableOf = <V>(rows: Map<string, V>): Table<V> => ({
  get: id => rows.get(id),
  set: (id, value) => {
    rows.set(id, value)
  },
  delete: id => {
    rows.delete(id)
  },
  values: () => [...rows.values()]
})

const createDraft = <V>(rows: Map<string, V>): Draft<V> => {
  const written = new Map<string, V>()
  const deleted = new Set<string>()
  const draft = tableOf(written)
  return {
    get: id => (deleted.has(id) ? undefined : (written.get(id) ?? rows.get(id))),
    set: (id, value) => {
      deleted.delete(id)
      draft.set(id, value)
    },
    delete: id => {
      draft.delete(id)
      deleted.add(id)
    },
    values: () => [
      ...[...rows].flatMap(([id, value]) => (deleted.has(id) ? [] : [written.get(id) ?? value])),
      ...[...written].flatMap(([id, value]) => (rows.has(id) ? [] : [value]))
    ],
    commit: () => {
      for (const id of deleted) rows.delete(id)
      for (const [id, value] of written) rows.set(id, value)
    }
  }
}

/** A token that belongs to a key. */
export interface TokenRow extends StoredToken {
  readonly clientKeyId: string
}

/** The use of an environment key's token. */
export interface EnvironmentToken extends TokenRecord {
  readonly clientKeyId: string
  readonly lastUsedAt: Date
}

export interface StoredUsage extends UsageCount {
  readonly clientKeyId: string
}

/** All stored data. */
export interface Tables {
  readonly keys: Table<ClientKeyRecord>
  /** Tokens by digest. Revocations are stored by digest too. */
  readonly tokens: Table<TokenRow>
  readonly revocations: Table<Revocation>
  readonly requests: Table<IdempotencyRecord>
  readonly environmentTokens: Table<EnvironmentToken>
  readonly usage: Table<StoredUsage>
  readonly audits: Table<Audit>
  /** The recorded generations. */
  readonly secrets: Table<string>
  /** The number of changes to keys, stored under an empty id. */
  readonly revision: Table<number>
}

export interface CommittedTables extends Tables {
  /** Returns the tables for a new transaction. Its writes aren't visible to others until `commit` is called. */
  readonly draft: () => { readonly tables: Tables; readonly commit: () => void }
}

export const createTables = (): CommittedTables => {
  const committed = {
    keys: createTable<ClientKeyRecord>(),
    tokens: createTable<TokenRow>(),
    revocations: createTable<Revocation>(),
    requests: createTable<IdempotencyRecord>(),
    environmentTokens: createTable<EnvironmentToken>(),
    usage: createTable<StoredUsage>(),
    audits: createTable<Audit>(),
    secrets: createTable<string>(),
    revision: createTable<number>()
  }
  return {
    ...committed,
    draft: () => {
      const tables = {
        keys: committed.keys.draft(),
        tokens: committed.tokens.draft(),
        revocations: committed.revocations.draft(),
        requests: committed.requests.draft(),
        environmentTokens: committed.environmentTokens.draft(),
        usage: committed.usage.draft(),
        audits: committed.audits.draft(),
        secrets: committed.secrets.draft(),
        revision: committed.revision.draft()
      }
      return {
        tables,
        commit: () => {
          for (const table of Object.values(tables)) table.commit()
        }
      }
    }
  }
}
