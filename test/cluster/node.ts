import { once } from 'node:events'
import type { Test } from 'tap'
import { collect, compiled, spawnNode, temporaryFolder } from '../helper.ts'
import type { Environment } from '../helper.ts'
import { LISTENING } from '../http/service.ts'

/** A node in a separate process, which a test can stop. */
export interface Node {
  readonly name: string
  readonly port: number
  readonly signal: (signal: NodeJS.Signals) => void
  readonly ended: Promise<{ code: number | null; stdout: string; stderr: string }>
}

/** Starts a node, by default of this version. Resolves when it is listening. The node is killed when the test ends. */
export const startNode = async (
  t: Test,
  name: string,
  env: Environment,
  server = compiled('server.ts')
): Promise<Node> => {
  const child = spawnNode([server], temporaryFolder(t), {
    ...env,
    PORT: '0',
    LOG_LEVEL: 'info',
    NODE_NAME: name
  })
  const { output, ended } = collect(child)
  t.teardown(async () => {
    child.kill('SIGKILL')
    await ended
  })
  for (;;) {
    const port = LISTENING.exec(output().stdout)?.[1]
    const signal = (sent: NodeJS.Signals): void => {
      child.kill(sent)
    }
    if (port !== undefined) return { name, port: Number(port), signal, ended }
    const end = await Promise.race([once(child.stdout, 'data').then(() => null), ended])
    if (end !== null) throw new Error(`${name} ended with ${String(end.code)}: ${end.stdout}${end.stderr}`)
  }
}

/** Sends a request, and returns the response, or null if it doesn't arrive in time. */
export const send = async (
  { port }: Pick<Node, 'port'>,
  token: string,
  [method, path, body]: [method: string, path: string, body?: unknown],
  timeoutMs = 20_000
): Promise<{ status: number; headers: Headers; json: ReturnType<typeof JSON.parse> } | null> => {
  try {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, {
      method,
      signal: AbortSignal.timeout(timeoutMs),
      headers: {
        authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' })
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) })
    })
    return { status: response.status, headers: response.headers, json: await response.json() }
  } catch {
    return null
  }
}
