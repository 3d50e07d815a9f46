import { createWatch, NOT_REPORTED } from '../../background.ts'
import type { BackgroundHooks, Watch } from '../../background.ts'
import { coalesced } from './coalesced.ts'
import { ALL_KEYS, MAX_ROWS } from './lease-store.ts'
import type { LeaseStore, Position } from './lease-store.ts'

export interface MembershipOptions {
  readonly leaseMs: number
  readonly store: LeaseStore
  /** Returns a new UUID. */
  readonly newId: () => string
  readonly background?: BackgroundHooks | undefined
}

/**
 * A registration of the node. Each registration has its own id, so that delayed messages from an earlier one can't
 * affect it.
 */
export interface Member {
  readonly id: string
  /** The last change that the node has read. */
  head: Position
  /**
   * Acknowledges `head` in the store. If this fails, changes take longer to confirm, and the next renewal tries again.
   */
  readonly acknowledge: () => void
}

/** The consecutive registrations of a node, and the changes that it has read. */
export interface Membership extends Pick<ChangeMemory, 'isFresh'> {
  /** Returns a mark for a lookup, or null while the node isn't registered. */
  readonly mark: () => number | null
  /** Returns the epoch of the last change that the node has read, or 0 while it isn't registered. */
  readonly head: () => number
  /** Registers the node, unless it's already registered. Rejects if the store fails. */
  readonly join: () => Promise<Member>
  /** Reads new changes. Returns false if the node must leave and join again. */
  readonly catchUp: (member: Member) => Promise<boolean>
  /** Deregisters the node, which must no longer have a lease. Never rejects. */
  readonly leave: () => Promise<void>
}

export const createMembership = (options: MembershipOptions): Membership => {
  const { leaseMs, store, newId, background = NOT_REPORTED } = options
  const deregistration = createWatch('deregister this node', background)
  const acknowledgement = createWatch('acknowledge changes to client keys', background)
  const memory = createChangeMemory()
  let current: Member | null = null

  return {
    isFresh: memory.isFresh,
    mark: () => (current === null ? null : memory.mark()),
    head: () => current?.head.epoch ?? 0,
    join: async () => {
      if (current !== null) return current
      const id = newId()
      const head = await store.register({ id, leaseMs })
      // The results of earlier lookups may be older than the head.
      memory.forgetAll()
      current = createMember(store, { id, head }, acknowledgement)
      return current
    },
    catchUp: async member => {
      const [first, ...changes] = await store.renew(member.id, member.head)
      if (first?.epoch !== member.head.epoch || first.nonce !== member.head.nonce) return false
      if (changes.length >= MAX_ROWS - 1) return false
      for (const change of changes) {
        memory.record(change.keyId)
        member.head = change
      }
      member.acknowledge()
      return true
    },
    leave: async () => {
      const left = current
      current = null
      if (left === null) return
      await deregistration.attempt(async () => {
        await store.deregister(left.id)
      })
    }
  }
}

const createMember = (
  store: LeaseStore,
  { id, head }: Pick<Member, 'id' | 'head'>,
  { attempt }: Pick<Watch, 'attempt'>
): Member => {
  let acknowledged = head.epoch
  const acknowledge = coalesced(async () => {
    const { epoch } = member.head
    if (acknowledged === epoch) return
    await attempt(async () => {
      await store.acknowledge(id, epoch)
      acknowledged = epoch
    })
  })
  const member: Member = {
    id,
    head,
    acknowledge: () => {
      void acknowledge()
    }
  }
  return member
}

/** The maximum number of keys whose last change is kept. If more keys change, all cached keys become stale. */
const MAX_KEYS = 10_000

/** Keeps track of which keys have changed, to determine whether the results of lookups are still valid. */
export interface ChangeMemory {
  readonly mark: () => number
  readonly isFresh: (mark: number, keyId: string) => boolean
  /** Invalidates all earlier lookup results for a key, or for every key if its id is `ALL_KEYS`. */
  readonly record: (keyId: string) => void
  /** Invalidates all earlier lookup results. */
  readonly forgetAll: () => void
}

export const createChangeMemory = (): ChangeMemory => {
  let lastMark = 0
  let oldestValidMark = 0
  const changed = new Map<string, number>()

  const forgetAll = (): void => {
    oldestValidMark = ++lastMark
    changed.clear()
  }

  return {
    mark: () => lastMark,
    isFresh: (mark, keyId) => {
      if (mark < oldestValidMark) return false
      const changedAt = changed.get(keyId)
      return changedAt === undefined || mark >= changedAt
    },
    record: keyId => {
      if (keyId === ALL_KEYS || changed.size === MAX_KEYS) forgetAll()
      else changed.set(keyId, ++lastMark)
    },
    forgetAll
  }
}
