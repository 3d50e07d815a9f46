/** Of how many keys it is remembered when they changed; beyond that, all is forgotten at once. */
const MAX_KEYS = 10_000

/** What a node knows of changes: whether what it looked up under a mark still holds. */
export interface ChangeMemory {
  readonly mark: () => number
  readonly isFresh: (mark: number, keyId: string) => boolean
  /** What was looked up of this key under an earlier mark no longer holds. */
  readonly record: (keyId: string) => void
  /** Nothing that was looked up under an earlier mark holds. */
  readonly forgetAll: () => void
}

export const createChangeMemory = (): ChangeMemory => {
  let tick = 0
  let floor = 0
  const changed = new Map<string, number>()

  const forgetAll = (): void => {
    floor = ++tick
    changed.clear()
  }

  return {
    mark: () => tick,
    isFresh: (mark, keyId) => {
      if (mark < floor) return false
      const changedAt = changed.get(keyId)
      return changedAt === undefined || mark >= changedAt
    },
    record: keyId => {
      if (changed.size === MAX_KEYS) forgetAll()
      else changed.set(keyId, ++tick)
    },
    forgetAll
  }
}
