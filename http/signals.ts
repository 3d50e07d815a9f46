import closeWithGrace from 'close-with-grace'
import type { FastifyInstance } from 'fastify'
import { leaveSignals } from '../first-process.ts'

const GRACE_MS = 10_000
const SIGNALS = ['SIGTERM', 'SIGINT'] as const

/**
 * On SIGTERM and SIGINT: stops accepting, finishes what runs, closes the database, and exits with 0. What is not
 * finished within 10 seconds is cut off, with exit code 1. Returns a function that undoes this.
 */
export const closeOnSignals = (fastify: FastifyInstance): (() => void) => {
  let isStopping = false
  let received: NodeJS.Signals | undefined
  const { close, uninstall } = closeWithGrace(
    { delay: GRACE_MS, logger: fastify.log, skip: ['SIGHUP', ...SIGNALS] },
    async ({ signal = received, err }) => {
      isStopping = true
      if (err !== undefined) fastify.log.fatal({ err }, 'the service stops, since something failed that nobody caught')
      else fastify.log.info({ signal }, 'the service stops')
      await fastify.close()
    }
  )
  // Ctrl-C arrives twice, since npm passes on what the terminal sent to the service as well. close-with-grace would end
  // the process at the second signal.
  const stop = (signal: NodeJS.Signals): void => {
    if (isStopping) return
    received = signal
    close()
  }
  leaveSignals()
  for (const signal of SIGNALS) process.on(signal, stop)
  return () => {
    uninstall()
    for (const signal of SIGNALS) process.off(signal, stop)
  }
}

/** Has the service go on where SIGHUP, which a closing terminal sends, would end the process. */
export const ignoreHangup = (fastify: FastifyInstance): void => {
  process.on('SIGHUP', signal => {
    fastify.log.info({ signal }, 'the signal is ignored; a restart reads the configuration again')
  })
}
