import fp from 'fastify-plugin'
import { expiringKeys } from '../../domain/keys/lifecycle/expiry.ts'

const DAY_MS = 86_400_000
const MAX_LINES = 100

/**
 * Logs a warning for each managed key that expires soon, when the service starts listening and once a day after that.
 */
export default fp(
  async fastify => {
    const warn = async (): Promise<void> => {
      try {
        let count = 0
        for await (const { id, name, expiresAt } of expiringKeys(fastify.clientKeys, new Date())) {
          if (++count > MAX_LINES) continue
          fastify.log.warn({ key: id, name, expires_at: expiresAt }, 'a client key expires soon')
        }
        if (count > MAX_LINES) fastify.log.warn({ keys: count - MAX_LINES }, 'more client keys expire soon')
      } catch (error) {
        fastify.log.warn(
          { err: error },
          'could not read the client keys that expire soon; the next attempt will be in a day'
        )
      }
    }

    let timer: NodeJS.Timeout | undefined
    let warning = Promise.resolve()
    const start = (): void => {
      warning = warn()
    }
    fastify.addHook('onListen', async () => {
      timer = setInterval(start, DAY_MS).unref()
      start()
      await warning
    })
    // Waits for any running read. Otherwise, it would fail when the database closes, and log the failure.
    fastify.addHook('onClose', async () => {
      clearInterval(timer)
      await warning
    })
  },
  { name: 'expiry-warnings', dependencies: ['client-keys'] }
)
