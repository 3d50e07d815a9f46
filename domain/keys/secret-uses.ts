import type { KeyRecords, ReadKeys, UsedEnvironmentKey } from './records.ts'
import type { GenerationUse } from './rows.ts'
import type { EnvironmentKeys } from './verdict/environment-keys.ts'

/** The functions that show which secrets tokens depend on: see `KeyService`. */
export interface SecretQueries {
  /** Returns every configured secret, and every secret that active tokens of managed keys depend on. */
  secrets: () => Promise<SecretUse[]>
  /** Returns the variable that contains a generation's secret, or null if the secret isn't configured. */
  secretOf: (generation: string) => SecretVariable | null
  /**
   * Returns the environment keys that aren't revoked, ordered by id. Their tokens aren't stored, so only a recorded use
   * shows which secret sealed a token.
   */
  environmentKeys: () => Promise<UsedEnvironmentKey[]>
  /** Returns the generations that active tokens depend on, but for which no secret is configured. */
  orphans: () => Promise<string[]>
}

export type SecretVariable = 'CLIENT_SECRET' | 'CLIENT_SECRET_PREVIOUS'

/** A secret that is configured, or that active tokens of managed keys depend on. */
export interface SecretUse {
  readonly use: GenerationUse
  /** The variable that contains the secret, or null if the secret isn't configured. */
  readonly secret: SecretVariable | null
}

/** Creates the functions that show which secrets tokens depend on. */
export const createSecretQueries = ({
  read,
  generations,
  environmentKeys,
  findUsed
}: {
  readonly read: ReadKeys
  /** The generations of the configured secrets, beginning with the current one. */
  readonly generations: readonly string[]
  readonly environmentKeys: EnvironmentKeys
  readonly findUsed: KeyRecords['findUsed']
}): SecretQueries => ({
  secrets: async () => secretUses(generations, await read(async (keys, at) => await keys.generations(at))),

  secretOf: generation => variableOf(generations, generation),

  environmentKeys: async () => {
    const found: UsedEnvironmentKey[] = []
    for (const environmentKey of environmentKeys.all) found.push(await findUsed(environmentKey))
    return found.filter(({ key }) => key.revokedAt === null)
  },

  orphans: async () => await read(async (keys, at) => await keys.otherGenerations(generations, at))
})

const secretUses = (generations: readonly string[], uses: readonly GenerationUse[]): SecretUse[] => {
  const positionOf = ({ generation }: GenerationUse): number => generations.indexOf(generation)
  const unused = generations
    .filter(generation => !uses.some(use => use.generation === generation))
    .map((generation): GenerationUse => ({ generation, activeTokens: 0, lastUsedAt: null }))
  return [...uses, ...unused]
    .filter(use => positionOf(use) >= 0 || use.activeTokens !== 0)
    .sort((a, b) => (positionOf(a) >>> 0) - (positionOf(b) >>> 0))
    .map(use => ({ use, secret: variableOf(generations, use.generation) }))
}

const variableOf = (generations: readonly string[], generation: string): SecretVariable | null => {
  const position = generations.indexOf(generation)
  if (position < 0) return null
  return position === 0 ? 'CLIENT_SECRET' : 'CLIENT_SECRET_PREVIOUS'
}
