import { setImmediate } from 'node:timers/promises'
import type { KeyReads, KeyRows, UsageCount } from '../../../domain/keys/rows.ts'
import { ALL_ADDRESSES, createPolicies, createUsageSums } from '../../owned-keys.ts'
import type { PolicyRow } from '../../owned-keys.ts'
import { toText } from '../../timestamps.ts'
import type { SqliteDatabase } from '../database.ts'

/** The numbers of keys that are read and written before other work gets its turn. */
const READ_WINDOW = 1000
const USAGE_WINDOW = 100
const WRITE_WINDOW = 250

const POLICY = `
  id, scopes, expires_at as expiresAt, allowed_ips as allowedIps, rate_limit_max as rateLimitMax,
  rate_limit_window_seconds as rateLimitWindowSeconds
`
const ACTIVE = 'from client_keys where owner = ? and revoked_at is null and id > ? order by id limit ?'
const READ_POLICIES = `select ${POLICY} ${ACTIVE}`
const REVOKE = `
  update client_keys set revoked_at = ?, revoked_reason = ? where row in (select row ${ACTIVE}) returning ${POLICY}
`
const READ_IDS = 'select id from client_keys where owner = ? and id > ? order by id limit ?'
const READ_USAGE = `
  select day, kind, iif(kind = 'address', '${ALL_ADDRESSES}', label) as label, sum(count) as count
  from client_key_usage where client_key_id in (select value from json_each(?)) and day >= ?
  group by 1, 2, 3
`

type OwnedPolicy = PolicyRow & { readonly id: string }

/** Calls `next` with the greatest id so far, and yields to the event loop, until it returns fewer than `limit` ids. */
const inWindows = async (limit: number, next: (after: string) => readonly string[]): Promise<void> => {
  let after = ''
  for (let isFull = true; isFull;) {
    const ids = next(after)
    for (const id of ids) if (id > after) after = id
    isFull = ids.length === limit
    if (isFull) await setImmediate()
  }
}

/** Creates the reads of the keys of an owner. */
export const createOwnerReads = ({ $client }: SqliteDatabase): Pick<KeyReads, 'usageOfOwner' | 'policiesOfOwner'> => {
  const readPolicies = $client.prepare<[string, string, number], OwnedPolicy>(READ_POLICIES)
  const readIds = $client.prepare<[string, string, number], string>(READ_IDS).pluck()
  const readUsage = $client.prepare<[string, string], UsageCount>(READ_USAGE)
  return {
    policiesOfOwner: async owner => {
      const policies = createPolicies()
      await inWindows(READ_WINDOW, after => {
        const found = readPolicies.all(owner, after, READ_WINDOW)
        found.forEach(policies.add)
        return found.map(({ id }) => id)
      })
      return policies.all()
    },

    usageOfOwner: async (owner, { day }) => {
      const sums = createUsageSums()
      await inWindows(USAGE_WINDOW, after => {
        const ids = readIds.all(owner, after, USAGE_WINDOW)
        sums.add(readUsage.all(JSON.stringify(ids), day))
        return ids
      })
      return sums.all()
    }
  }
}

/** Creates the rows that change all keys of an owner. */
export const createOwnerRows = ({ $client }: SqliteDatabase): Pick<KeyRows, 'revokeOwner'> => {
  const revoke = $client.prepare<[string, string | null, string, string, number], OwnedPolicy>(REVOKE)
  return {
    // The transaction has exclusive access to the database.
    revokeOwner: async (owner, { at, reason }) => {
      const policies = createPolicies()
      let count = 0
      await inWindows(WRITE_WINDOW, after => {
        const revoked = revoke.all(toText(at), reason, owner, after, WRITE_WINDOW)
        revoked.forEach(policies.add)
        count += revoked.length
        return revoked.map(({ id }) => id)
      })
      return { count, policies: policies.all() }
    }
  }
}
