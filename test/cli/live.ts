import type { Test } from 'tap'
import { start } from '../http/service.ts'
import type { Service } from '../http/service.ts'
import { command } from './terminal.ts'
import type { Ended, Issued } from './terminal.ts'

export interface Live {
  service: Service
  /** Runs a command in this process. It uses the database of the service, which runs in a separate process. */
  cli: (name: string, args?: readonly string[], input?: string) => Promise<Ended>
  /** Issues a key over HTTP, with the service's own key. */
  issue: (name: string) => Promise<Issued>
  /** Sends a request with a token, and returns the status code. */
  get: (token: string, path?: string) => Promise<number>
}

/** Starts a service, and creates a command line that uses its database. */
export const live = async (t: Test, env: Record<string, string> = {}): Promise<Live> => {
  const service = await start(t, env)
  const cli: Live['cli'] = async (name, args = [], input = '') =>
    await command(t, name, { env: service.env, args, input })
  return {
    service,
    cli,
    issue: async name => {
      const response = await fetch(`http://127.0.0.1:${service.port}/client_keys`, {
        method: 'POST',
        headers: { ...service.headers, 'content-type': 'application/json' },
        body: JSON.stringify({ name })
      })
      t.equal(response.status, 201)
      return (await response.json()) as Issued
    },
    get: async (token, path = '/apps') => await statusOf(service.port, token, path)
  }
}

/** Sends a request with a token, and returns the status code. */
export const statusOf = async (port: number, token: string, path = '/apps'): Promise<number> => {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, {
    headers: { authorization: `Bearer ${token}`, 'user-agent': 'billing-sync/2.1' }
  })
  await response.arrayBuffer()
  return response.status
}

/** Stops the service, which stores all recorded usage first. */
export const stop = async ({ process, ended }: Service): Promise<void> => {
  process.kill('SIGTERM')
  await ended
}
