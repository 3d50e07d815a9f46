import { setTimeout } from 'node:timers/promises'
import { answerParent } from './child.ts'

// A process of its own, so that whoever reads a long list does not hold up who waits for a short answer.

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

const probeOnAndOn = async (asked: Probe, signal: AbortSignal): Promise<void> => {
  while (!signal.aborted) {
    latencies.push(await probe(asked))
    await setTimeout(PAUSE_MS)
  }
}

const answers = {
  /** Begins to ask for a small answer, again and again, on one connection that is open by then. */
  begin: async (asked: Probe): Promise<void> => {
    await probe(asked)
    latencies = []
    stopping = new AbortController()
    end = probeOnAndOn(asked, stopping.signal)
  },

  /** How long each answer took, in milliseconds. */
  end: async (): Promise<number[]> => {
    stopping.abort()
    await end
    return latencies
  }
}

export type ProberAnswers = typeof answers

answerParent(answers)
