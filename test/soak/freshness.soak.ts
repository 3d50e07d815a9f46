import { randomInt, randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import tap, { test } from 'tap'
import { openStorage } from '../../db/open.ts'
import { createKeyService } from '../../domain/keys/service.ts'
import type { KeyService } from '../../domain/keys/service.ts'
import { operator } from '../helper.ts'
import { start } from '../http/service.ts'
import type { Service } from '../http/service.ts'

/** The number of changes. Set `SOAK_CHANGES=1000` for a short run. */
const CHANGES = Number(process.env['SOAK_CHANGES'] ?? 20_000)
const CLIENTS = 20
const CHANGERS = 4
const TOKENS = 12
const INACTIVE_TOKENS = 6

tap.setTimeout(0)

/** A change that allows or revokes a token, with the times of its request and its acknowledgement. */
interface Change {
  begun: number
  acknowledged: number
  allows: boolean
}

interface Subject {
  id: string
  token: string
  changes: Change[]
}

/** Changes keys. Each implementation does so in a different process. */
interface Changer {
  issue: () => Promise<{ id: string; token: string }>
  change: (id: string, change: { enabled: boolean } | { scopes: ('apps:read' | 'users:read')[] }) => Promise<unknown>
  revoke: (id: string) => Promise<unknown>
  rotate: (id: string) => Promise<string>
}

const byHttp = ({ port, headers }: Service): Changer => {
  const send = async (
    method: string,
    path: string,
    body: object
  ): Promise<{ id: string; key_access_token: string }> => {
    const response = await fetch(`http://127.0.0.1:${port}/client_keys${path}`, {
      method,
      headers: { ...headers, 'content-type': 'application/json' },
      body: JSON.stringify(body)
    })
    const text = await response.text()
    if (!response.ok) throw new Error(`${method} ${path} replied ${response.status}: ${text}`)
    return JSON.parse(text) as { id: string; key_access_token: string }
  }
  return {
    issue: async () => {
      const { id, key_access_token: token } = await send('POST', '', { name: randomUUID() })
      return { id, token }
    },
    change: async (id, change) => await send('PATCH', `/${id}`, change),
    revoke: async id => await send('POST', `/${id}/revoke`, {}),
    rotate: async id => (await send('POST', `/${id}/rotate`, { grace_seconds: 0 })).key_access_token
  }
}

/** Changes keys in this process with the key service, as the command line does. */
const byRegistry = (keys: KeyService): Changer => ({
  issue: async () => {
    const { key, keyAccessToken } = await keys.issue({ name: randomUUID() }, operator)
    return { id: key.id, token: keyAccessToken }
  },
  change: async (id, change) => await keys.change(id, change, operator),
  revoke: async id => await keys.revoke(id, null, operator),
  rotate: async id => (await keys.rotate(id, { graceSeconds: 0 }, operator)).keyAccessToken
})

const anyOf = <T>(list: readonly T[]): T => {
  const one = list[randomInt(list.length)]
  if (one === undefined) throw new Error('the list is empty')
  return one
}

/**
 * Returns an error if no possible state of the token explains the response to a request, or null otherwise. Changes
 * that were acknowledged before the request was sent apply to it. Changes that were requested before its response may
 * apply.
 */
const violation = ({ changes }: Subject, sent: number, replied: number, isAccepted: boolean): string | null => {
  const possible = changes.filter(
    ({ begun }, index) => begun < replied && !changes.slice(index + 1).some(({ acknowledged }) => acknowledged < sent)
  )
  if (possible.some(({ allows }) => allows === isAccepted)) return null
  return `sent at ${sent}, replied at ${replied}, ${isAccepted ? 'accepted' : 'refused'}: ${JSON.stringify(changes.slice(-5))}`
}

test(`${CHANGES} acknowledged changes apply to every later request`, async t => {
  const first = await start(t, { LOG_LEVEL: 'info' })
  const second = { ...(await start(t, first.env)), headers: first.headers }
  const storage = await openStorage(first.env['DATABASE_URL'])
  t.teardown(storage.close)
  const registry = createKeyService({ store: storage.keys, secret: first.secret })
  const changers = [byHttp(first), byHttp(second), byRegistry(registry)]

  // Numbers the events in this process in order. An acknowledgement that precedes a request has a lower number.
  let now = 0
  const free: Subject[] = []
  const inactive: Subject[] = []
  const busy = new Set<Subject>()
  const violations: string[] = []
  const counts = { changes: 0, requests: 0, accepted: 0 }

  const begin = (subject: Subject, allows: boolean): Change => {
    const change = { begun: ++now, acknowledged: Infinity, allows }
    subject.changes.push(change)
    return change
  }
  const issue = async (): Promise<void> => {
    const { id, token } = await anyOf(changers).issue()
    free.push({ id, token, changes: [{ begun: now, acknowledged: ++now, allows: true }] })
  }
  const retire = (subject: Subject): void => {
    inactive.push(subject)
    if (inactive.length > INACTIVE_TOKENS) inactive.shift()
  }

  const changeOne = async (): Promise<void> => {
    const [subject] = free.splice(randomInt(free.length), 1)
    if (subject === undefined) return
    busy.add(subject)
    const changer = anyOf(changers)
    const kind = randomInt(10)
    if (kind === 0) {
      const change = begin(subject, false)
      await changer.revoke(subject.id)
      change.acknowledged = ++now
      retire(subject)
      await issue()
    } else if (kind === 1) {
      const change = begin(subject, false)
      const begun = change.begun
      const isAccepted = subject.changes.at(-2)?.allows === true
      const token = await changer.rotate(subject.id)
      change.acknowledged = ++now
      retire(subject)
      free.push({ id: subject.id, token, changes: [{ begun, acknowledged: now, allows: isAccepted }] })
    } else {
      const allows = subject.changes.at(-1)?.allows !== true
      const change = begin(subject, allows)
      // A token is accepted if its key is enabled and has the scope. One change sets both.
      const wanted = { enabled: allows || kind % 2 === 0, scopes: [allows ? 'apps:read' : 'users:read'] as const }
      await changer.change(subject.id, { ...wanted, scopes: [...wanted.scopes] })
      change.acknowledged = ++now
      free.push(subject)
    }
    busy.delete(subject)
    counts.changes++
  }

  const askOnce = async (): Promise<void> => {
    const subject = anyOf([...free, ...busy, ...inactive])
    const { port } = anyOf([first, second])
    const sent = ++now
    const response = await fetch(`http://127.0.0.1:${port}/apps?limit=1`, {
      headers: { authorization: `Bearer ${subject.token}` }
    })
    await response.arrayBuffer()
    if (![200, 401, 403].includes(response.status)) violations.push(`GET /apps replied ${response.status}`)
    const found = violation(subject, sent, ++now, response.status === 200)
    if (found !== null) violations.push(found)
    counts.requests++
    if (response.status === 200) counts.accepted++
  }

  for (let i = 0; i < TOKENS; i++) await issue()
  await Promise.all([
    ...Array.from({ length: CHANGERS }, async () => {
      while (counts.changes < CHANGES) await changeOne()
    }),
    ...Array.from({ length: CLIENTS }, async () => {
      while (counts.changes < CHANGES) await askOnce()
    })
  ])
  t.strictSame(violations, [])
  t.ok(counts.accepted > 0 && counts.accepted < counts.requests, 'some requests were accepted, and some were not')
  const memory = [first, second].map(
    ({ process: { pid } }) => /VmHWM:\s*(\d+)/.exec(readFileSync(`/proc/${String(pid)}/status`, 'utf8'))?.[1]
  )
  t.comment(
    `${counts.changes} changes, ${counts.requests} requests, ${counts.accepted} accepted; peak memory ${memory.join(' and ')} KiB`
  )
})
