import { setTimeout } from 'node:timers/promises'
import { serveParent } from './child.ts'

// Runs in a separate process, so that reading a long list doesn't delay the measurement of short requests.

const PAUSE_MS = 1

let latencies: number[] = []
let stopping = new AbortController()
let end: Promise<void> = Promise.resolve()

interface Probe {
  url: string
  token: string
}

const probe = async ({ url, token }: Probe): Promise<number> => {
  const start = performance.now()
  const response = await fetch(url, { headers: { authorization: `Bearer ${token}` } })
  await response.text()
  return performance.now() - start
}

const probeRepeatedly = async (target: Probe, signal: AbortSignal): Promise<void> => {
  while (!signal.aborted) {
    latencies.push(await probe(target))
    await setTimeout(PAUSE_MS)
  }
}

const functions = {
  /** Opens a connection and starts sending small requests on it repeatedly. */
  begin: async (target: Probe): Promise<void> => {
    await probe(target)
    latencies = []
    stopping = new AbortController()
    end = probeRepeatedly(target, stopping.signal)
  },

  /** Stops sending requests, and returns how long each one took, in milliseconds. */
  end: async (): Promise<number[]> => {
    stopping.abort()
    await end
    return latencies
  }
}

export type ProberFunctions = typeof functions

serveParent(functions)
