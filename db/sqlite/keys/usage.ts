import { lt } from 'drizzle-orm'
import type { KeyRows } from '../../../domain/keys/rows.ts'
import { toText } from '../../timestamps.ts'
import type { SqliteDatabase } from '../database.ts'
import { clientKeyUsage } from '../schema.ts'

type UsageRows = 'addTokenUsage' | 'addEnvironmentUsage' | 'lockUsageLabels' | 'addUsage' | 'removeUsage'

const USE_TOKEN = `
  update client_key_tokens set use_count = use_count + ?, last_used_ip = iif(coalesce(last_used_at, '') < ?, ?,
    last_used_ip),
    last_used_agent = iif(coalesce(last_used_at, '') < ?, ?, last_used_agent), last_used_at =
      max(coalesce(last_used_at, ''), ?)
  where digest = ?
`
const USE_KEY = `
  update client_keys set last_used_at = max(coalesce(last_used_at, ''), ?) where row = (select client_key from
    client_key_tokens where digest = ?)
`
const USE_ENVIRONMENT_KEY = `
  insert into environment_key_uses (client_key_id, generation, last_used_at, last_used_ip, last_used_agent, use_count)
    values (?, ?, ?, ?, ?, ?)
  on conflict do update set use_count = use_count + excluded.use_count,
    last_used_ip = iif(last_used_at < excluded.last_used_at, excluded.last_used_ip, last_used_ip),
    last_used_agent = iif(last_used_at < excluded.last_used_at, excluded.last_used_agent, last_used_agent),
    last_used_at = max(last_used_at, excluded.last_used_at)
`
const ADD = `
  insert into client_key_usage (client_key_id, day, kind, label, count) values (?, ?, ?, ?, ?)
  on conflict do update set count = count + excluded.count
`
const KNOW = `
  select exists (
    select 1 from client_key_usage where client_key_id = ? and day = ? and kind = ? and label = ?
  ) as isStored, (select count(*) from client_key_usage where client_key_id = ? and day = ? and kind = ?) as labels
`

/** Creates the rows for usage. Their statements are prepared, because there may be thousands of uses per second. */
export const createUsageRows = (db: SqliteDatabase): Pick<KeyRows, UsageRows> => {
  const { $client } = db
  const useToken = $client.prepare(USE_TOKEN)
  const useKey = $client.prepare(USE_KEY)
  const useEnvironmentKey = $client.prepare(USE_ENVIRONMENT_KEY)
  const add = $client.prepare(ADD)
  const know = $client.prepare<string[], { isStored: number; labels: number }>(KNOW)
  return {
    addTokenUsage: async uses => {
      for (const { digest, count, lastUsedAt, lastUsedIp, lastUsedAgent } of uses) {
        const at = toText(lastUsedAt)
        useToken.run(count, at, lastUsedIp, at, lastUsedAgent, at, digest)
        useKey.run(at, digest)
      }
    },
    addEnvironmentUsage: async uses => {
      for (const { id, generation, count, lastUsedAt, lastUsedIp, lastUsedAgent } of uses) {
        useEnvironmentKey.run(id, generation, toText(lastUsedAt), lastUsedIp, lastUsedAgent, count)
      }
    },
    // The transaction has exclusive access to the database.
    lockUsageLabels: async counts =>
      counts.map(count => {
        const known = know.get(count.id, count.day, count.kind, count.label, count.id, count.day, count.kind)
        return { ...count, isStored: known?.isStored === 1, labels: Number(known?.labels) }
      }),
    addUsage: async counts => {
      for (const { id, day, kind, label, count } of counts) add.run(id, day, kind, label, count)
    },
    removeUsage: async ({ day }) => {
      db.delete(clientKeyUsage).where(lt(clientKeyUsage.day, day)).run()
    }
  }
}
