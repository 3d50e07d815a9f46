import { randomUUID } from 'node:crypto'
import { violationsOf } from './history.ts'
import type { Asked, Change } from './history.ts'
import { send } from './node.ts'
import type { Node } from './node.ts'

const TOKENS = 12
const INACTIVE_TOKENS = 6
const REQUEST_TIMEOUT_MS = 3000
const CHANGE_TIMEOUT_MS = 10_000

export interface WorkloadOptions {
  /** The token of who may change keys. */
  readonly admin: string
  /** The nodes that are asked at the moment. */
  readonly nodes: () => readonly Node[]
  readonly seed: number
  readonly writers: number
  readonly clients: number
}

interface Subject {
  readonly id: string
  readonly token: string
  readonly changes: Change[]
  readonly requests: Asked[]
}

/** Random changes of keys, and requests with known tokens, all of random nodes. */
export interface Workload {
  /** Resolves when so many changes more have been acknowledged than at the call. */
  readonly changed: (count: number) => Promise<void>
  /** Ends it, and resolves when nothing is under way. */
  readonly stop: () => Promise<void>
  /** What was not as it should have been. */
  readonly violations: () => (Asked & { changes: Change[] })[]
  /** The ids of the receipts, of which none may be lost; of a node of an earlier version the epoch alone. */
  readonly receipts: readonly string[]
  /** The tokens whose state is known for sure, and whether they are let in. */
  readonly known: () => { token: string; allows: boolean }[]
  readonly counts: { changes: number; requests: number; accepted: number; refused: number; unknown: number }
}

/** Random numbers from 0 to 1 of which a seed always gives the same (Mulberry32). */
const randomOf = (seed: number) => {
  let state = seed
  return (): number => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

export const startWorkload = async (options: WorkloadOptions): Promise<Workload> => {
  const { admin, nodes, writers, clients } = options
  const random = randomOf(options.seed)
  const anyOf = <T>(list: readonly T[]): T => {
    const one = list[Math.floor(random() * list.length)]
    if (one === undefined) throw new Error('the list is empty')
    return one
  }
  const counts = { changes: 0, requests: 0, accepted: 0, refused: 0, unknown: 0 }
  const receipts: string[] = []
  const all: Subject[] = []
  const free: Subject[] = []
  const busy = new Set<Subject>()
  const inactive: Subject[] = []
  let isStopped = false

  const add = (id: string, token: string, change: Change): void => {
    const subject = { id, token, changes: [change], requests: [] }
    all.push(subject)
    free.push(subject)
  }
  const bury = (subject: Subject): void => {
    inactive.push(subject)
    if (inactive.length > INACTIVE_TOKENS) inactive.shift()
  }

  const issue = async (): Promise<void> => {
    const begun = performance.now()
    const reply = await send(anyOf(nodes()), admin, ['POST', '/client_keys', { name: randomUUID() }], CHANGE_TIMEOUT_MS)
    const acknowledged = performance.now()
    if (reply?.status === 201) {
      add(reply.json.id, reply.json.key_access_token, { begun, acknowledged, allows: true })
    }
  }

  /** Makes a change; answers its reply where it was acknowledged. */
  const change = async (subject: Subject, allows: boolean, [path, method, body]: [string, string, unknown]) => {
    const made: Change = { begun: performance.now(), acknowledged: Infinity, allows }
    subject.changes.push(made)
    const reply = await send(
      anyOf(nodes()),
      admin,
      [method, `/client_keys/${subject.id}${path}`, body],
      CHANGE_TIMEOUT_MS
    )
    const acknowledged = performance.now()
    if (reply?.status !== 200) {
      counts.unknown++
      return null
    }
    made.acknowledged = acknowledged
    receipts.push(reply.json.receipt.id ?? String(reply.json.receipt.epoch))
    counts.changes++
    return { since: { begun: made.begun, acknowledged }, token: reply.json.key_access_token }
  }

  const changeOne = async (): Promise<void> => {
    const [subject] = free.splice(Math.floor(random() * free.length), 1)
    if (subject === undefined || subject.changes.at(-1)?.acknowledged === Infinity) {
      // What became of it nobody knows: it is still presented, and no longer changed.
      if (subject !== undefined) bury(subject)
      await issue()
      return
    }
    busy.add(subject)
    const kind = random()
    const wasAllowed = subject.changes.at(-1)?.allows === true
    if (kind < 0.1) {
      await change(subject, false, ['/revoke', 'POST', {}])
      bury(subject)
      await issue()
    } else if (kind < 0.25) {
      const made = await change(subject, false, ['/rotate', 'POST', { grace_seconds: 0 }])
      bury(subject)
      if (made === null) await issue()
      else add(subject.id, made.token, { ...made.since, allows: wasAllowed })
    } else {
      const allows = !wasAllowed
      const wanted = { enabled: allows || kind < 0.6, scopes: [allows ? 'apps:read' : 'users:read'] }
      await change(subject, allows, ['', 'PATCH', wanted])
      free.push(subject)
    }
    busy.delete(subject)
  }

  const ask = async (): Promise<void> => {
    const subject = anyOf([...free, ...busy, ...inactive])
    const node = anyOf(nodes())
    const sent = performance.now()
    const reply = await send(node, subject.token, ['GET', '/apps?limit=1'], REQUEST_TIMEOUT_MS)
    const answered = performance.now()
    counts.requests++
    if (reply === null || reply.status === 503) {
      counts.refused++
      return
    }
    const accepted = reply.status === 200
    if (accepted) counts.accepted++
    subject.requests.push({ sent, answered, node: node.name, accepted })
  }

  const repeat = async (work: () => Promise<void>): Promise<void> => {
    for (;;) {
      if (isStopped) return
      await work()
    }
  }

  while (free.length < TOKENS) await issue()
  const running = Promise.all([
    ...Array.from({ length: writers }, async () => {
      await repeat(changeOne)
    }),
    ...Array.from({ length: clients }, async () => {
      await repeat(ask)
    })
  ])
  return {
    changed: async count => {
      const wanted = counts.changes + count
      while (counts.changes < wanted) await Promise.race([running, new Promise(resolve => setTimeout(resolve, 20))])
    },
    stop: async () => {
      isStopped = true
      await running
    },
    violations: () => all.flatMap(one => violationsOf(one).map(wrong => ({ ...wrong, changes: one.changes }))),
    receipts,
    known: () =>
      all.flatMap(({ token, changes }) => {
        const last = changes.at(-1)
        return last === undefined || last.acknowledged === Infinity ? [] : [{ token, allows: last.allows }]
      }),
    counts
  }
}
