import type { GenerationUse } from './rows.ts'

/** A secret that tokens depend on, or may. */
export interface SecretUse {
  readonly use: GenerationUse
  /** The variable that holds the secret; null: it is not configured. */
  readonly secret: string | null
}

/**
 * Each secret that is configured, and each that active tokens depend on; the configured ones first, the current one
 * before all. `generations` are the configured ones in that order.
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
