import fp from 'fastify-plugin'
import { expiringKeys } from '../../domain/keys/lifecycle/expiry.ts'

const DAY_MS = 86_400_000
const MAX_LINES = 100

/** Writes a warning for each managed key that expires soon to the log: when the service listens, then once a day. */
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
        fastify.log.warn({ err: error }, 'the client keys that expire soon could not be read; the next try is in a day')
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
    // Or a stop would have the log say that the keys could not be read.
    fastify.addHook('onClose', async () => {
      clearInterval(timer)
      await warning
    })
  },
  { name: 'expiry-warnings', dependencies: ['client-keys'] }
)
