import { setImmediate as turn } from 'node:timers/promises'
import type { Clock, Schedule } from '../../../../domain/keys/freshness/clock.ts'
import { createConfirmation } from '../../../../domain/keys/freshness/confirmation.ts'
import type { ConfirmationStore } from '../../../../domain/keys/freshness/confirmation.ts'
import { createEvictions } from '../../../../domain/keys/freshness/evictions.ts'
import { createLease } from '../../../../domain/keys/freshness/lease.ts'
import { MAX_ROWS } from '../../../../domain/keys/freshness/lease-store.ts'
import type { Change, LeaseStore } from '../../../../domain/keys/freshness/lease-store.ts'

// Simulates a database and its nodes in one thread, with simulated time. A seed determines all events.

const LEASE_MS = 200
const TIME_OUT_MS = 300
const LAST_MS = 2400
const OUTAGE_MS = 2 * LEASE_MS

/** Returns a generator of random numbers from 0 to 1, which are the same for the same seed (Mulberry32). */
const createRandom = (seed: number) => {
  let state = seed
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
  return {
    between: (least: number, most: number) => least + next() * (most - least),
    chance: (share: number) => next() < share,
    pick: <T>(list: readonly T[]): T => list[Math.floor(next() * list.length)] as T
  }
}

interface Event {
  readonly time: number
  readonly task: () => void
}

/** Creates a queue of events, ordered by time. */
const createTimeline = () => {
  const events: Event[] = []
  let now = 0
  const at = (delay: number, task: () => void): void => {
    const event = { time: now + delay, task }
    let position = events.length
    while (position > 0 && (events[position - 1] as Event).time <= event.time) position--
    events.splice(position, 0, event)
  }
  const play = async (until: number): Promise<void> => {
    for (let event = events.pop(); event !== undefined && event.time < until; event = events.pop()) {
      now = event.time
      event.task()
      await turn()
    }
  }
  return { now: () => now, at, play }
}

interface Row {
  acked: number
  evictedAt: string | null
  readonly leaseMs: number
}

interface Data {
  readonly changes: readonly Change[]
  readonly nodes: ReadonlyMap<string, Row>
  readonly revoked: ReadonlySet<string>
}

/** Creates the tables and their statements, each of which is executed atomically. */
const createTables = (newId: () => string) => {
  let changes: Change[] = [{ epoch: 1, nonce: newId(), keyId: '' }]
  let nodes = new Map<string, Row>()
  let revoked = new Set<string>()
  const last = (): Change => changes.at(-1) as Change
  const commit = (keyId: string, gap: number): Change => {
    changes.push({ epoch: last().epoch + gap, nonce: newId(), keyId })
    return last()
  }
  return {
    last,
    commit,
    nodes: () => nodes,
    isRevoked: (keyId: string) => revoked.has(keyId),
    revoke: (keyId: string, gap: number) => {
      revoked.add(keyId)
      return commit(keyId, gap)
    },
    renew: (node: string, epoch: number): Change[] => {
      const isListed = nodes.get(node)?.evictedAt === null
      return isListed ? changes.filter(change => change.epoch >= epoch).slice(0, MAX_ROWS) : []
    },
    pending: ({ epoch, nonce }: Pick<Change, 'epoch' | 'nonce'>) => {
      if (!changes.some(change => change.epoch === epoch && change.nonce === nonce)) {
        throw new Error('the change was not found')
      }
      const rows = [...nodes.values()]
      const acknowledged = rows.filter(({ acked }) => acked >= epoch).length
      const silent = [...nodes].flatMap(([id, { acked, leaseMs, evictedAt }]) =>
        acked < epoch && leaseMs > 0 ? [{ id, leaseMs, evictedAt }] : []
      )
      return { nodes: rows.length, acknowledged, silent }
    },
    evict: (epoch: number) => {
      const evictedAt = newId()
      return [...nodes].flatMap(([id, row]) => {
        if (row.acked >= epoch || row.leaseMs === 0 || row.evictedAt !== null) return []
        row.evictedAt = evictedAt
        return [{ id, evictedAt }]
      })
    },
    backup: (): Data => structuredClone({ changes, nodes, revoked }),
    restore: (data: Data) => {
      changes = [...data.changes]
      nodes = new Map(data.nodes)
      revoked = new Set(data.revoked)
    }
  }
}

/** The result of one schedule: wrongly accepted requests, and counts of events. */
export interface ScheduleResult {
  readonly violations: string[]
  readonly counts: Record<
    'accepted' | 'fromCache' | 'refused' | 'unsure' | 'acknowledged' | 'leasesEnded' | 'unconfirmed',
    number
  >
}

/** Runs one schedule of requests, changes and faults. The leases and confirmations are real. */
export const runSchedule = async (seed: number): Promise<ScheduleResult> => {
  const { between, chance, pick } = createRandom(seed)
  const { now, at, play } = createTimeline()
  let ids = 0
  const newId = (): string => `id${++ids}`
  const tables = createTables(newId)
  let isDown = false

  const loss = pick([0, 0.02, 0.15])
  const slowness = pick([0.02, 0.1, 0.3])
  const notificationRate = pick([0, 0.5, 1])
  const wallSteps = chance(0.5)
  const delay = (): number => (chance(slowness) ? between(0, 2 * LEASE_MS) : between(0.1, 3))

  const violations: string[] = []
  const counts = { accepted: 0, fromCache: 0, refused: 0, unsure: 0, acknowledged: 0, leasesEnded: 0, unconfirmed: 0 }
  /** The times at which each key's revocation was acknowledged. The checker uses no other information. */
  const acknowledgedAt = new Map<string, number>()

  /** Creates a process that has its own clocks, and may be stopped or killed. */
  const createProcess = () => {
    const rate = pick([0.9, 1, 1.1])
    // A correction of one clock usually applies to the other too.
    const wallRate = chance(0.7) ? rate : between(0.9, 1.1)
    let monotonicBase = between(0, 1e6)
    let wallBase = 1.7e12 + between(-1e6, 1e6)
    let stoppedUntil = 0
    let cutUntil = 0
    let isAlive = true
    const clock: Clock = {
      monotonic: () => monotonicBase + rate * now(),
      wall: () => wallBase + wallRate * now()
    }
    const deliver = (task: () => void): void => {
      if (!isAlive) return
      if (stoppedUntil > now()) {
        at(stoppedUntil - now(), () => {
          deliver(task)
        })
      } else task()
    }
    const schedule: Schedule = (task, ms) => {
      let isCancelled = false
      at(ms / rate, () => {
        deliver(() => {
          if (!isCancelled) task()
        })
      })
      return () => {
        isCancelled = true
      }
    }
    /**
     * Sends a statement. The statement may be lost, slow, or executed after its timeout, and its reply may be lost.
     */
    const send = <T>(run: (respond: (value: T) => void) => void): Promise<T> =>
      new Promise<T>((resolve, reject) => {
        at(TIME_OUT_MS, () => {
          deliver(() => {
            reject(new Error('the statement timed out'))
          })
        })
        if (chance(loss) || cutUntil > now()) return
        at(delay(), () => {
          const back = (settle: () => void): void => {
            if (chance(loss)) return
            at(delay(), () => {
              deliver(settle)
            })
          }
          const fail = (error: unknown): void => {
            back(() => {
              reject(error)
            })
          }
          if (isDown) {
            fail(new Error('the database is down'))
            return
          }
          try {
            run(value => {
              back(() => {
                resolve(value)
              })
            })
          } catch (error) {
            fail(error)
          }
        })
      })
    return {
      clock,
      evictions: createEvictions(clock),
      deliver,
      schedule,
      send,
      ask: <T>(run: () => T): Promise<T> =>
        send(respond => {
          respond(run())
        }),
      stop: (ms: number) => {
        stoppedUntil = Math.max(stoppedUntil, now() + ms)
      },
      suspend: (ms: number) => {
        if (stoppedUntil > now()) return
        stoppedUntil = now() + ms
        monotonicBase -= rate * ms
      },
      stepWall: (ms: number) => {
        wallBase += ms
      },
      cut: (ms: number) => {
        cutUntil = now() + ms
      },
      kill: () => {
        isAlive = false
      }
    }
  }

  const createNode = () => {
    const process = createProcess()
    const { ask, send, clock, schedule } = process
    const store: LeaseStore = {
      renew: (node, head) => ask(() => tables.renew(node, head.epoch)),
      register: ({ id, leaseMs }) =>
        send(respond => {
          const { epoch, nonce } = tables.last()
          // The reply arrives later than the state that it reports.
          at(delay(), () => {
            if (isDown) return
            tables.nodes().set(id, { acked: epoch, evictedAt: null, leaseMs })
            respond({ epoch, nonce })
          })
        }),
      acknowledge: (node, epoch) =>
        ask(() => {
          const row = tables.nodes().get(node)
          if (row !== undefined) row.acked = Math.max(row.acked, epoch)
        }),
      deregister: node =>
        ask(() => {
          tables.nodes().delete(node)
        })
    }
    const leaseMs = chance(0.1) ? 0 : between(0.5, 1) * LEASE_MS
    const lease = createLease({ clock, schedule, store, leaseMs, newId })
    const cache = new Map<string, number>()

    /** Authenticates a request as the authenticator does, but in a simplified way. */
    const authenticate = async (keyId: string): Promise<boolean> => {
      await lease.barrier()
      const known = cache.get(keyId)
      if (known !== undefined && lease.isFresh(known, keyId)) {
        counts.fromCache++
        return true
      }
      const mark = lease.mark()
      const isActive = await ask(() => !tables.isRevoked(keyId))
      if (isActive && mark !== null) cache.set(keyId, mark)
      return isActive
    }

    const request = (keyId: string): void => {
      const began = now()
      const checkReply = (isAccepted: boolean): void => {
        counts[isAccepted ? 'accepted' : 'refused']++
        const revokedAt = acknowledgedAt.get(keyId)
        if (isAccepted && revokedAt !== undefined && revokedAt < began) {
          violations.push(
            `seed ${seed}: ${keyId}, revoked at ${revokedAt}, was accepted at ${now()} in a request from ${began}`
          )
        }
      }
      process.deliver(() => {
        authenticate(keyId).then(checkReply, () => {
          counts.unsure++
        })
      })
    }
    return { process, request, notify: lease.notify, close: lease.close }
  }

  const nodes = Array.from({ length: pick([2, 3, 4]) }, createNode)
  const keys = Array.from({ length: 12 }, (_, i) => `key${i}`)
  const unrevoked = [...keys]

  const hint = (): void => {
    for (const node of nodes) {
      if (!chance(notificationRate)) continue
      at(delay(), () => {
        node.process.deliver(node.notify)
      })
    }
  }

  /** Revokes a key on a node, and waits for the confirmation. */
  const revoke = async ({ clock, evictions, ask, schedule }: ReturnType<typeof createProcess>, keyId: string) => {
    const store: ConfirmationStore = {
      pending: change => ask(() => tables.pending(change)),
      evict: epoch => ask(() => tables.evict(epoch))
    }
    const sleep = (ms: number): Promise<void> =>
      new Promise(resolve => {
        schedule(resolve, ms)
      })
    const confirm = createConfirmation({ clock, sleep, store, evictions, now: clock.wall })
    const change = await ask(() => {
      hint()
      return tables.revoke(keyId, pick([1, 1, 2]))
    })
    const receipt = await confirm(change, clock.monotonic())
    // A restored backup may have reverted the change while this process was stopped.
    if (tables.isRevoked(keyId)) acknowledgedAt.set(keyId, now())
    at(0.01, () => {
      for (const node of nodes) node.request(keyId)
    })
    counts.acknowledged += receipt.acknowledged
    counts.leasesEnded += receipt.leasesEnded
  }

  const revokeOnRandomNode = (): void => {
    const keyId = unrevoked.pop()
    if (keyId === undefined) return
    const { process } = pick(nodes)
    process.deliver(() => {
      revoke(process, keyId).catch(() => {
        counts.unconfirmed++
      })
    })
  }

  /** A process that deletes the rows of evicted nodes, two leases after it first saw that they were evicted. */
  const janitor = createProcess()
  const seen = new Map<string, number>()
  const clean = (): void => {
    for (const [id, { evictedAt, leaseMs }] of tables.nodes()) {
      if (evictedAt === null) continue
      const since = seen.get(id) ?? janitor.clock.monotonic()
      seen.set(id, since)
      if (janitor.clock.monotonic() - since > 2 * leaseMs) tables.nodes().delete(id)
    }
  }

  const restart = (): void => {
    const position = Math.floor(between(0, nodes.length))
    const [old] = nodes.splice(position, 1, createNode())
    if (chance(0.5)) void old?.close()
    else old?.process.kill()
  }

  /** Restores a backup. Nothing is committed before the leases from the previous database have expired. */
  const restoreLater = (): void => {
    const data = tables.backup()
    at(between(0, LAST_MS / 4), () => {
      isDown = true
      at(OUTAGE_MS, () => {
        isDown = false
        tables.restore(data)
        for (const keyId of acknowledgedAt.keys()) if (!data.revoked.has(keyId)) acknowledgedAt.delete(keyId)
        // The new history soon contains as many changes as the previous one.
        revokeOnRandomNode()
        at(between(3, 20), () => {
          for (let i = 0; i < 20; i++) tables.commit('another', 1)
        })
      })
    })
  }

  const faults = [
    () => {
      // Revokes a key that is cached by a node that can no longer be notified.
      const { process, request } = pick(nodes)
      for (const keyId of unrevoked.slice(-2)) request(keyId)
      at(between(5, 20), () => {
        process.cut(between(0, 3 * LEASE_MS))
        revokeOnRandomNode()
      })
    },
    () => {
      pick(nodes).process.stop(between(0, 3 * LEASE_MS))
    },
    () => {
      const { process } = pick(nodes)
      if (wallSteps) process.stepWall(between(-1, 1) * 10 * LEASE_MS)
      else process.suspend(between(0, 3 * LEASE_MS))
    },
    restart,
    () => {
      if (!chance(0.3)) return
      for (let i = 0; i < MAX_ROWS; i++) tables.commit('another', 1)
      revokeOnRandomNode()
    },
    () => {
      tables.evict(tables.last().epoch)
    }
  ]

  /** Repeats a task at random intervals, from 0 to twice the specified interval. */
  const repeatRandomly = (interval: number, task: () => void): void => {
    at(between(0, 2 * interval), () => {
      task()
      repeatRandomly(interval, task)
    })
  }
  repeatRandomly(10, () => {
    pick(nodes).request(pick(keys))
  })
  repeatRandomly(150, revokeOnRandomNode)
  repeatRandomly(40, () => {
    if (isDown) return
    tables.commit(pick(keys), 1)
    hint()
  })
  repeatRandomly(LEASE_MS / 2, clean)
  repeatRandomly(pick([200, 600, 1e6]), () => {
    pick(faults)()
  })
  if (chance(0.3)) at(between(0, LAST_MS / 2), restoreLater)
  await play(LAST_MS)
  return { violations, counts }
}
