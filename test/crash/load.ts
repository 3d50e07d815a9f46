import { randomInt, randomUUID } from 'node:crypto'
import { at } from '../helper.ts'
import type { Reply } from './process.ts'

const WORKERS = 6
const LONG_GRACE_SECONDS = 86_400
const SCOPES = [['apps:read'], ['apps:read', 'apps:write'], ['client_keys:read'], ['*']]

/** A key's state, according to the responses. */
export interface KnownKey {
  id: string
  good: string[]
  inactive: string[]
  rotations: number
  revoked: boolean
}

/** A change that was requested. */
interface Change {
  action: 'issue' | 'rotate' | 'revoke'
  path: string
  body: Record<string, unknown>
  headers: Record<string, string>
  /** The key to change. Until the response arrives, it's in no list, so that no other worker changes it. */
  key: KnownKey | null
  /** Whether the change revokes the key's tokens. */
  kills: boolean
}

export type Send = (method: string, path: string, body?: unknown, headers?: Record<string, string>) => Promise<Reply>
export type Present = (token: string) => Promise<number>

/** A load that changes keys, and records the responses. */
export interface Load {
  /**
   * Issues, rotates and revokes keys with several concurrent workers, until no more responses arrive. Calls `onReply`
   * for each response.
   */
  run: (send: Send, onReply: () => void, mayBreak: () => boolean) => Promise<void>
  /** Retries the requests that got no response. Returns the failures that were found. */
  repeatLost: (send: Send, present: Present) => Promise<string[]>
  /**
   * Sends requests with the tokens of all keys that were changed since the last call and of `sample` other keys, except
   * those whose last change got no response. Returns the failures that were found.
   */
  check: (present: Present, sample: number) => Promise<string[]>
  keys: () => KnownKey[]
  counts: Record<'replies' | 'lost' | 'repeated', number>
}

export const createLoad = (): Load => {
  const active: KnownKey[] = []
  const revoked: KnownKey[] = []
  const lost: Change[] = []
  const changed = new Set<KnownKey>()
  const counts = { replies: 0, lost: 0, repeated: 0 }

  const randomChange = (): Change => {
    const chance = randomInt(100)
    if (active.length < WORKERS || chance < 50) {
      return {
        action: 'issue',
        path: '/client_keys',
        body: { name: randomUUID(), scopes: SCOPES[randomInt(SCOPES.length)] },
        headers: chance % 2 === 0 ? { 'idempotency-key': randomUUID() } : {},
        key: null,
        kills: false
      }
    }
    const key = at(active.splice(randomInt(active.length), 1))
    if (chance < 75) {
      return { action: 'revoke', path: `/client_keys/${key.id}/revoke`, body: {}, headers: {}, key, kills: true }
    }
    const kills = chance % 2 === 0
    return {
      action: 'rotate',
      path: `/client_keys/${key.id}/rotate`,
      body: { grace_seconds: kills ? 0 : LONG_GRACE_SECONDS },
      headers: { 'idempotency-key': randomUUID() },
      key,
      kills
    }
  }

  const record = ({ action, path, key, kills }: Change, { status, json }: Reply): void => {
    if (status !== (action === 'issue' ? 201 : 200)) {
      throw new Error(`POST ${path} returned ${status}: ${JSON.stringify(json)}`)
    }
    counts.replies++
    const known = key ?? { id: String(json.id), good: [], inactive: [], rotations: 0, revoked: false }
    if (kills) known.inactive.push(...known.good.splice(0))
    if (action === 'rotate') known.rotations++
    if (action === 'revoke') known.revoked = true
    else known.good.push(String(json.key_access_token))
    changed.add(known)
    const list = known.revoked ? revoked : active
    list.push(known)
  }

  const work = async (send: Send, onReply: () => void, mayBreak: () => boolean): Promise<void> => {
    for (;;) {
      const wanted = randomChange()
      let reply: Reply
      try {
        reply = await send('POST', wanted.path, wanted.body, wanted.headers)
      } catch (error) {
        if (!mayBreak()) throw error
        lost.push(wanted)
        counts.lost++
        return
      }
      record(wanted, reply)
      onReply()
    }
  }

  /** Returns a failure for each change without a response that was only partly stored. */
  const partialChanges = async ({ action, key, kills }: Change, present: Present): Promise<string[]> => {
    if (key === null) return []
    const good = new Set(await Promise.all(key.good.map(present)))
    const inactive = new Set(await Promise.all(key.inactive.map(present)))
    return [
      ...[...inactive]
        .filter(status => status !== 401)
        .map(status => `an inactive token of ${key.id}, whose ${action} got no reply, gets ${status}`),
      ...[...good]
        .filter(status => status !== 200 && !(kills && status === 401))
        .map(status => `a token of ${key.id}, whose ${action} got no reply, gets ${status}`),
      ...(good.size > 1
        ? [`of the tokens of ${key.id}, whose ${action} got no reply, some are inactive and some are not`]
        : [])
    ]
  }

  const repeat = async (wanted: Change, send: Send, present: Present): Promise<string[]> => {
    const failures = await partialChanges(wanted, present)
    const reply = await send('POST', wanted.path, wanted.body, wanted.headers)
    // Without an Idempotency-Key, the request can't be retried to get the token, so the key is unusable.
    if (reply.status === 409 && wanted.action === 'issue' && wanted.headers['idempotency-key'] === undefined) {
      return failures
    }
    record(wanted, reply)
    counts.repeated++
    const id = String(reply.json.id)
    const known = [...active, ...revoked].find(key => key.id === id)
    return [
      ...failures,
      ...(known === undefined
        ? [`the reply is about ${id}, which was not requested`]
        : await activeTokenFailures(known, send))
    ]
  }

  return {
    run: async (send, onReply, mayBreak) => {
      await Promise.all(
        Array.from({ length: WORKERS }, async () => {
          await work(send, onReply, mayBreak)
        })
      )
    },

    repeatLost: async (send, present) =>
      (await Promise.all(lost.splice(0).map(async wanted => await repeat(wanted, send, present)))).flat(),

    check: async (present, sample) => {
      const keys = [...active, ...revoked]
      const others = Array.from({ length: Math.min(sample, keys.length) }, () => at(keys, randomInt(keys.length)))
      const due = new Set([...keys.filter(key => changed.has(key)), ...others])
      changed.clear()
      return await inBatches([...due], async key => await tokenFailures(key, present))
    },

    keys: () => [...active, ...revoked],
    counts
  }
}

const tokenFailures = async ({ id, good, inactive, revoked }: KnownKey, present: Present): Promise<string[]> => {
  const wanted = [...good.map(token => ({ token, due: 200 })), ...inactive.map(token => ({ token, due: 401 }))]
  const statuses = await Promise.all(wanted.map(async ({ token }) => await present(token)))
  return wanted.flatMap(({ due }, index) =>
    statuses[index] === due
      ? []
      : [`a token of ${revoked ? 'the revoked key' : 'the key'} ${id} gets ${statuses[index]} rather than ${due}`]
  )
}

/** Returns a failure if a key's number of active tokens differs from the number in the responses. */
export const activeTokenFailures = async ({ id, good, revoked }: KnownKey, send: Send): Promise<string[]> => {
  const { status, json } = await send('GET', `/client_keys/${id}`)
  if (status !== 200) return [`the key ${id} gets ${status}`]
  if (revoked) return json.revoked_at === null ? [`the key ${id} is not revoked`] : []
  const tokens = json.tokens as { expires_at: string | null; revoked_at: string | null }[]
  const now = new Date().toISOString()
  const live = tokens.filter(
    token => token.revoked_at === null && (token.expires_at === null || token.expires_at > now)
  ).length
  return live === good.length ? [] : [`the key ${id} has ${live} active tokens rather than ${good.length}`]
}

const BATCH = 16

/** Calls `ask` for many items in batches, so that only a limited number of requests are pending at a time. */
export const inBatches = async <T>(things: readonly T[], ask: (thing: T) => Promise<string[]>): Promise<string[]> => {
  const failures: string[] = []
  for (let i = 0; i < things.length; i += BATCH) {
    failures.push(...(await Promise.all(things.slice(i, i + BATCH).map(ask))).flat())
  }
  return failures
}
