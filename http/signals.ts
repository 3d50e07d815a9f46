import closeWithGrace from 'close-with-grace'
import type { FastifyInstance } from 'fastify'

const GRACE_MS = 10_000

/**
 * On SIGTERM and SIGINT: stops accepting, finishes what runs, closes the database, and exits with 0. What is not
 * finished within 10 seconds is cut off, with exit code 1. Answers a function that undoes this.
 */
export const closeOnSignals = (fastify: FastifyInstance): (() => void) => {
  const { uninstall } = closeWithGrace(
    { delay: GRACE_MS, logger: fastify.log, skip: ['SIGHUP'] },
    async ({ signal, err }) => {
      if (err !== undefined) fastify.log.fatal({ err }, 'the service stops, since something failed that nobody caught')
      else fastify.log.info({ signal }, 'the service stops')
      await fastify.close()
    }
  )
  return uninstall
}

/** Has the service go on where SIGHUP, which a closing terminal sends, would end the process. */
export const ignoreHangup = (fastify: FastifyInstance): void => {
  process.on('SIGHUP', signal => {
    fastify.log.info({ signal }, 'the signal is ignored; a restart reads the configuration again')
  })
}
