import { randomUUID } from 'node:crypto'
import { findViolations } from './history.ts'
import type { TokenRequest, Change } from './history.ts'
import { send } from './node.ts'
import type { Node } from './node.ts'

const TOKENS = 12
const INACTIVE_TOKENS = 6
const REQUEST_TIMEOUT_MS = 3000
const CHANGE_TIMEOUT_MS = 10_000

export interface WorkloadOptions {
  /** A token of a key that may change other keys. */
  readonly admin: string
  /** Returns the nodes to which requests are currently being sent. */
  readonly nodes: () => readonly Node[]
  readonly seed: number
  readonly writers: number
  readonly clients: number
}

interface Subject {
  readonly id: string
  readonly token: string
  readonly changes: Change[]
  readonly requests: TokenRequest[]
}

/** A workload of random changes to keys, and requests with known tokens, on random nodes. */
export interface Workload {
  /** Waits until `count` more changes have been acknowledged. */
  readonly changed: (count: number) => Promise<void>
  /** Stops sending requests, and resolves when no request is pending. */
  readonly stop: () => Promise<void>
  /** Returns the requests that got a wrong response. */
  readonly violations: () => (TokenRequest & { changes: Change[] })[]
  /** The ids of the receipts, none of which may be lost. Nodes of the previous version return only the epoch. */
  readonly receipts: readonly string[]
  /** Returns the tokens whose state is known, and whether they are accepted. */
  readonly known: () => { token: string; allows: boolean }[]
  readonly counts: { changes: number; requests: number; accepted: number; refused: number; unknown: number }
}

/** Returns a generator of random numbers from 0 to 1, which are the same for the same seed (Mulberry32). */
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
  const retire = (subject: Subject): void => {
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

  /** Requests a change. Returns its time and token, or null if it wasn't acknowledged. */
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
      // The outcome of its last change is unknown, so its token is still used, but it isn't changed anymore.
      if (subject !== undefined) retire(subject)
      await issue()
      return
    }
    busy.add(subject)
    const kind = random()
    const wasAllowed = subject.changes.at(-1)?.allows === true
    if (kind < 0.1) {
      await change(subject, false, ['/revoke', 'POST', {}])
      retire(subject)
      await issue()
    } else if (kind < 0.25) {
      const made = await change(subject, false, ['/rotate', 'POST', { grace_seconds: 0 }])
      retire(subject)
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
    const replied = performance.now()
    counts.requests++
    if (reply === null || reply.status === 503) {
      counts.refused++
      return
    }
    const accepted = reply.status === 200
    if (accepted) counts.accepted++
    subject.requests.push({ sent, replied, node: node.name, accepted })
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
    violations: () => all.flatMap(one => findViolations(one).map(wrong => ({ ...wrong, changes: one.changes }))),
    receipts,
    known: () =>
      all.flatMap(({ token, changes }) => {
        const last = changes.at(-1)
        return last === undefined || last.acknowledged === Infinity ? [] : [{ token, allows: last.allows }]
      }),
    counts
  }
}
