/** The number of a key's requests that were recorded under a label on one day. */
export interface UsageCount {
  /** The UTC date, such as 2026-01-31. */
  readonly day: string
  readonly kind: 'scope' | 'refusal' | 'address'
  /** The scope, the reason for the refusal, or the address. `*` counts all addresses after the first 100 on a day. */
  readonly label: string
  readonly count: number
}

/** The number of times that a token was used, and the details of the last use. */
export interface TokenUsage {
  readonly count: number
  readonly lastUsedAt: Date
  readonly lastUsedIp: string
  readonly lastUsedAgent: string | null
}

/** The usage of a managed key's token. */
export interface ManagedUsage extends TokenUsage {
  /** The SHA-256 of the token's `key_id`, as 64 hexadecimal digits. */
  readonly digest: string
}

/** The usage of an environment key's token. The key's id and the generation identify the token. */
export interface EnvironmentUsage extends TokenUsage {
  readonly id: string
  readonly generation: string
}

/** A usage count and the id of the key. */
export interface KeyUsageCount extends UsageCount {
  readonly id: string
}

/** A usage count, and whether its label is already stored. */
export interface KnownUsageCount extends KeyUsageCount {
  readonly isStored: boolean
  /** The number of labels of this kind that are stored for the key on this day. */
  readonly labels: number
}

/** Stores the usage of keys. */
export interface KeyUsageRows {
  /**
   * Adds the usage of managed keys' tokens, and updates when the keys were last used. Each token must occur only once.
   * If a token's stored use is more recent, only the count is added.
   */
  readonly addTokenUsage: (uses: readonly ManagedUsage[]) => Promise<void>
  /** Like `addTokenUsage`, but for the tokens of environment keys. */
  readonly addEnvironmentUsage: (uses: readonly EnvironmentUsage[]) => Promise<void>
  /**
   * Returns each count, together with whether its label is stored and how many labels are stored. If any label isn't
   * stored, no other transaction can add labels until this one ends.
   */
  readonly lockUsageLabels: (counts: readonly KeyUsageCount[]) => Promise<KnownUsageCount[]>
  /** Adds each count to the stored count with the same label. */
  readonly addUsage: (counts: readonly KeyUsageCount[]) => Promise<void>
  /**
   * Deletes the counts for earlier days. Must be called in a transaction of its own. May leave locked rows for the next
   * call.
   */
  readonly removeUsage: (before: { readonly day: string }) => Promise<void>
}
