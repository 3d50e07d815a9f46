import { join } from 'node:path'
import { measureAuditedChanges } from './audited-changes.ts'
import { withChildren } from './child.ts'
import { measureLimitedKeys, measureNodes } from './node-loads.ts'
import type { Setup } from './over-sqlite.ts'
import { measurePostgresTokens } from './postgres-tokens.ts'
import { measureReceipts } from './receipts.ts'
import type { Row } from './report.ts'
import { findPostgres, withPostgres } from './services.ts'

/** All that is measured over PostgreSQL; one line that says so where there is none. */
export const measureOverPostgres = async ({ plan, folder, credentials, say }: Setup): Promise<Row[]> => {
  const server = await findPostgres()
  if (server === null) {
    return [{ what: 'PostgreSQL', result: 'skipped: none at TEST_POSTGRES_URL or 127.0.0.1:5432' }]
  }
  say('opening tokens of managed keys in PostgreSQL')
  const tokens = await measurePostgresTokens(plan, server, folder, credentials)
  say('receipts')
  const receipts = await measureReceipts(plan, server, folder, credentials)
  say('audited changes')
  const changes = await measureAuditedChanges(plan, server, folder, credentials)
  say('several nodes under load')
  // The database is dropped after the nodes have ended.
  const nodes = await withPostgres(
    server,
    async url => await withChildren(folder, async start => await measureNodes(plan, url, start, credentials))
  )
  say('keys with a rate limit')
  const path = join(folder, 'limited.db')
  const limited = await withPostgres(
    server,
    async url =>
      await withChildren(folder, async start => await measureLimitedKeys(plan, url, start, path, credentials))
  )
  return [...tokens, ...receipts, ...changes, ...nodes, ...limited]
}

/** What tokens of managed keys take where PostgreSQL has a number of keys. */
export const measureKeysInPostgres = async (
  { plan, folder, credentials, say }: Setup,
  postgresKeys: number
): Promise<Row[]> => {
  const server = await findPostgres()
  if (server === null) throw new Error('There is no PostgreSQL at TEST_POSTGRES_URL or 127.0.0.1:5432.')
  say(`${postgresKeys} keys in PostgreSQL`)
  return await measurePostgresTokens({ ...plan, postgresKeys }, server, folder, credentials)
}
