import tap from 'tap'
import type { Test } from 'tap'
import { contracts } from './contracts.ts'
import { openStorage } from '../../db/open.ts'
import { required } from '../helper.ts'
import { emptyPostgres, execute } from '../postgres.ts'
import { grantNodePrivileges, newRole } from '../roles.ts'

const url = await emptyPostgres()
if (url !== null) {
  const server = await newRole(tap, url)
  await grantNodePrivileges(url, server)
  const serving = async (t: Test) => {
    required((await emptyPostgres()) ?? undefined, 'PostgreSQL')
    const storage = await openStorage(server.url)
    t.teardown(storage.close)
    const skipPorts = async (last: number): Promise<void> => {
      await execute(url, `update app_port_counter set last = ${last}`)
    }
    return { ...storage, skipPorts }
  }
  contracts('PostgreSQL, with a role that may only serve', serving)
}
