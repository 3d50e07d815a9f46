import type { FastifyInstance } from 'fastify'
import { listen } from './listen.ts'
import { listenForMetrics } from './metrics/listen.ts'
import { closeOnSignals, ignoreHangup } from './signals.ts'

/** Listens, and serves until a signal stops the process. Throws a ConfigError where a port can't be had. */
export const serve = async (fastify: FastifyInstance): Promise<void> => {
  const undo = closeOnSignals(fastify)
  ignoreHangup(fastify)
  try {
    await listenForMetrics(fastify)
    await listen(fastify)
  } catch (error) {
    // Or the process would end as if a signal had stopped it: with 0.
    undo()
    throw error
  }
}
