import { createWatch, NOT_REPORTED } from '../../background.ts'
import type { BackgroundHooks, Watch } from '../../background.ts'
import { coalesced } from './coalesced.ts'
import { MAX_ROWS } from './lease-store.ts'
import type { LeaseStore, Position } from './lease-store.ts'

export interface MembershipOptions {
  readonly leaseMs: number
  readonly store: LeaseStore
  /** Makes a new UUID. */
  readonly newId: () => string
  readonly background?: BackgroundHooks | undefined
}

/** A registration. Each has an id of its own, so that a late message of an earlier one changes nothing of it. */
export interface Member {
  readonly id: string
  /** The last change that it knows. */
  head: Position
  /** Tells the store. Where that fails, a change waits longer, and the next renewal tells it again. */
  readonly acknowledge: () => void
}

/** The registrations of a node, one after another, and what it has learnt of changes since. */
export interface Membership extends Pick<ChangeMemory, 'isFresh'> {
  /** Null while the node is not registered. */
  readonly mark: () => number | null
  /** The epoch of the last change that the node knows; 0 while it is not registered. */
  readonly head: () => number
  /** Registers the node, unless it is. Rejects with what the store rejects with. */
  readonly join: () => Promise<Member>
  /** Learns what was changed since. False: the node must leave, and join again. */
  readonly catchUp: (member: Member) => Promise<boolean>
  /** Gives the registration up. Whoever calls this holds no lease. Never rejects. */
  readonly leave: () => Promise<void>
}

export const createMembership = (options: MembershipOptions): Membership => {
  const { leaseMs, store, newId, background = NOT_REPORTED } = options
  const deregistration = createWatch('deregister this node', background)
  const acknowledgement = createWatch('acknowledge changes of client keys', background)
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
      // What was looked up before the head was read may be older than the head.
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
