import type { FastifyInstance } from 'fastify'
import { listen } from './listen.ts'
import { listenForMetrics } from './metrics/listen.ts'
import { closeOnSignals, ignoreHangup } from './signals.ts'

/** Serves requests until a signal stops the process. Throws a ConfigError if a port can't be used. */
export const serve = async (fastify: FastifyInstance): Promise<void> => {
  const undo = closeOnSignals(fastify)
  ignoreHangup(fastify)
  try {
    await listenForMetrics(fastify)
    await listen(fastify)
  } catch (error) {
    // Otherwise, the process would exit with code 0, as it does after a signal.
    undo()
    throw error
  }
}
