import type { KeyRecords, ReadKeys, UsedEnvironmentKey } from './records.ts'
import type { GenerationUse } from './rows.ts'
import type { EnvironmentKeys } from './verdict/environment-keys.ts'

/** What shows which secrets tokens depend on: see `KeyService`. */
export interface SecretQueries {
  /** Each secret that is configured, and each that active tokens of managed keys depend on. */
  secrets: () => Promise<SecretUse[]>
  /** The variable that holds the secret of a generation; null: none does. */
  secretOf: (generation: string) => SecretVariable | null
  /**
   * The environment keys that are not revoked, ordered by id. Their tokens are not stored: only a use shows which
   * secret sealed a token.
   */
  environmentKeys: () => Promise<UsedEnvironmentKey[]>
  /** The generations that active tokens depend on, of which no secret is configured. */
  orphans: () => Promise<string[]>
}

export type SecretVariable = 'CLIENT_SECRET' | 'CLIENT_SECRET_PREVIOUS'

/** A secret that tokens of managed keys depend on, or may. */
export interface SecretUse {
  readonly use: GenerationUse
  /** The variable that holds the secret; null: it is not configured. */
  readonly secret: SecretVariable | null
}

/** Makes the verbs of the key service that show which secrets tokens depend on. */
export const createSecretQueries = ({
  read,
  generations,
  environmentKeys,
  findUsed
}: {
  readonly read: ReadKeys
  /** Those of the configured secrets, the current one first. */
  readonly generations: readonly string[]
  readonly environmentKeys: EnvironmentKeys
  readonly findUsed: KeyRecords['findUsed']
}): SecretQueries => ({
  secrets: async () => secretUses(generations, await read(async (keys, at) => await keys.generations(at))),

  secretOf: generation => variableOf(generations, generation),

  environmentKeys: async () => {
    const found: UsedEnvironmentKey[] = []
    for (const fixed of environmentKeys.all) found.push(await findUsed(fixed))
    return found.filter(({ key }) => key.revokedAt === null)
  },

  orphans: async () => await read(async (keys, at) => await keys.otherGenerations(generations, at))
})

const secretUses = (generations: readonly string[], uses: readonly GenerationUse[]): SecretUse[] => {
  const positionOf = ({ generation }: GenerationUse): number => generations.indexOf(generation)
  const unused = generations
    .filter(generation => !uses.some(use => use.generation === generation))
    .map((generation): GenerationUse => ({ generation, liveTokens: 0, lastUsedAt: null }))
  return [...uses, ...unused]
    .filter(use => positionOf(use) >= 0 || use.liveTokens !== 0)
    .sort((a, b) => (positionOf(a) >>> 0) - (positionOf(b) >>> 0))
    .map(use => ({ use, secret: variableOf(generations, use.generation) }))
}

const variableOf = (generations: readonly string[], generation: string): SecretVariable | null => {
  const position = generations.indexOf(generation)
  if (position < 0) return null
  return position === 0 ? 'CLIENT_SECRET' : 'CLIENT_SECRET_PREVIOUS'
}
