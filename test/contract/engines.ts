import pg from 'pg'
import type { Test } from 'tap'
import { openStorage } from '../../db/open.ts'
import type { StorageOptions } from '../../db/engine.ts'
import type { Storage } from '../../db/storage.ts'
import { required, settings } from '../helper.ts'
import { emptyPostgres, execute } from '../postgres.ts'
import type { TestStore } from './app-rows.ts'

const opened = async (t: Test, url: string, options?: StorageOptions): Promise<Storage> => {
  const storage = await openStorage(url, options)
  t.teardown(storage.close)
  return storage
}

/** Opens a new SQLite database, and closes it when the test ends. */
export const sqlite = async (t: Test): Promise<Storage> => await opened(t, settings(t).env.DATABASE_URL)

/** Empties the test file's PostgreSQL database, and opens it until the test ends. Requires a server. */
export const postgres = async (t: Test): Promise<Storage & TestStore & { readonly url: string }> => {
  const url = required((await emptyPostgres()) ?? undefined, 'PostgreSQL')
  return {
    ...(await opened(t, url)),
    url,
    skipPorts: async last => {
      await execute(url, `update app_port_counter set last = ${last}`)
    }
  }
}

/** Opens another connection pool to a PostgreSQL database, as another node does. */
export const connectPostgres = async (t: Test, url: string, poolSize?: number): Promise<Storage> =>
  await opened(t, url, { poolSize })

/** Opens an additional connection, which the service doesn't use, and closes it when the test ends. */
export const connectDirectly = async (t: Test, url: string): Promise<pg.Client> => {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => {})
  await client.connect()
  t.teardown(() => client.end())
  return client
}
