import { join } from 'node:path'
import type { Test } from 'tap'
import { Database } from '../../db/sqlite/driver.ts'
import { LISTENING } from '../http/service.ts'
import { run } from '../helper.ts'
import { command } from './terminal.ts'
import type { Ended } from './terminal.ts'

/** Runs quickstart once, in this process and in the specified folder. */
export const quickstart = async (t: Test, cwd: string, env: Record<string, string> = {}): Promise<Ended> =>
  await command(t, 'quickstart', { cwd, args: ['--once'], env: { PORT: '0', ...env } })

export const pathIn = (cwd: string): string => join(cwd, 'data/sample.db')

export const database = (cwd: string) => ({ DATABASE_URL: `file:${pathIn(cwd)}` })

/** Runs a statement on quickstart's database. */
export const execute = (cwd: string, statement: string): void => {
  const db = new Database(pathIn(cwd))
  db.exec(statement)
  db.close()
}

/** Starts a service on quickstart's database. Returns the status codes of `GET /apps` with the token of each run. */
export const statusesOf = async (t: Test, cwd: string, runs: readonly Ended[]): Promise<number[]> => {
  const service = run(t, 'server.ts', { cwd, env: { PORT: '0', ...database(cwd) } })
  await service.prints('Server listening')
  const port = LISTENING.exec(service.output().stdout)?.[1]
  return await Promise.all(
    runs.map(async ({ stdout }) => {
      const authorization = /Authorization: ([^']+)'/.exec(stdout)?.[1] ?? ''
      return (await fetch(`http://localhost:${port}/apps`, { headers: { authorization } })).status
    })
  )
}
