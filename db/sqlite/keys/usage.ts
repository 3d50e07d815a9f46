import { and, count, eq, lt } from 'drizzle-orm'
import type { KeyRows } from '../../../domain/keys/rows.ts'
import { toText } from '../../instants.ts'
import type { SqliteDatabase } from '../database.ts'
import { clientKeyUsage } from '../schema.ts'

type UsageRows =
  'addTokenUsage' | 'addEnvironmentUsage' | 'addUsage' | 'addToUsage' | 'countUsageLabels' | 'removeUsage'

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
  on conflict do update set last_used_at = excluded.last_used_at, last_used_ip = excluded.last_used_ip,
    last_used_agent = excluded.last_used_agent, use_count = use_count + excluded.use_count
`
const ADD = `
  insert into client_key_usage (client_key_id, day, kind, label, count) values (?, ?, ?, ?, ?)
  on conflict do update set count = count + excluded.count
`
const ADD_TO =
  'update client_key_usage set count = count + ? where client_key_id = ? and day = ? and kind = ? and label = ?'

/** Makes the rows of usage, prepared: there may be thousands of them a second. */
export const createUsageRows = (db: SqliteDatabase): Pick<KeyRows, UsageRows> => {
  const { $client } = db
  const useToken = $client.prepare(USE_TOKEN)
  const useKey = $client.prepare(USE_KEY)
  const useEnvironmentKey = $client.prepare(USE_ENVIRONMENT_KEY)
  const add = $client.prepare(ADD)
  const addTo = $client.prepare(ADD_TO)
  return {
    addTokenUsage: async (digest, usage) => {
      const at = toText(usage.lastUsedAt)
      useToken.run(usage.count, at, usage.lastUsedIp, at, usage.lastUsedAgent, at, digest)
      useKey.run(at, digest)
    },
    addEnvironmentUsage: async (id, generation, { count: times, lastUsedAt, lastUsedIp, lastUsedAgent }) => {
      useEnvironmentKey.run(id, generation, toText(lastUsedAt), lastUsedIp, lastUsedAgent, times)
    },
    addUsage: async (id, usage) => {
      add.run(id, usage.day, usage.kind, usage.label, usage.count)
    },
    addToUsage: async (id, usage) => addTo.run(usage.count, id, usage.day, usage.kind, usage.label).changes > 0,
    countUsageLabels: async (id, { day, kind }) =>
      Number(
        db
          .select({ labels: count() })
          .from(clientKeyUsage)
          .where(and(eq(clientKeyUsage.clientKeyId, id), eq(clientKeyUsage.day, day), eq(clientKeyUsage.kind, kind)))
          .get()?.labels
      ),
    removeUsage: async ({ day }) => {
      db.delete(clientKeyUsage).where(lt(clientKeyUsage.day, day)).run()
    }
  }
}
