import closeWithGrace from 'close-with-grace'
import type { FastifyInstance } from 'fastify'
import { leaveSignals } from '../first-process.ts'

const GRACE_MS = 10_000
const SIGNALS = ['SIGTERM', 'SIGINT'] as const

/**
 * On SIGTERM or SIGINT, stops accepting connections, waits for running requests, closes the database, and exits with
 * code 0. If that takes longer than 10 seconds, exits with code 1. Returns a function that removes the handlers.
 */
export const closeOnSignals = (fastify: FastifyInstance): (() => void) => {
  let isStopping = false
  let received: NodeJS.Signals | undefined
  const { close, uninstall } = closeWithGrace(
    { delay: GRACE_MS, logger: fastify.log, skip: ['SIGHUP', ...SIGNALS] },
    async ({ signal = received, err }) => {
      isStopping = true
      if (err !== undefined) fastify.log.fatal({ err }, 'the service is stopping because of an uncaught error')
      else fastify.log.info({ signal }, 'the service is stopping')
      await fastify.close()
    }
  )
  // After Ctrl-C, SIGINT arrives twice, because both the terminal and npm send it to the service. By itself,
  // close-with-grace would terminate the process on the second signal.
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

/** Ignores SIGHUP, which a terminal sends when it closes, and which terminates the process by default. */
export const ignoreHangup = (fastify: FastifyInstance): void => {
  process.on('SIGHUP', signal => {
    fastify.log.info({ signal }, 'the signal is ignored; restart the service to read the configuration again')
  })
}
