import type { Client, PoolClient } from 'pg'

/**
 * Has a connection send all that is written to it in one turn of the event loop by one system call: each of them costs
 * about as much as everything else that is done for a query.
 */
export const gatherWrites = (client: Client | PoolClient): void => {
  const { stream } = client.connection
  const write = stream.write.bind(stream) as (...args: unknown[]) => boolean
  let isGathering = false
  stream.write = (...args: unknown[]): boolean => {
    if (!isGathering) {
      isGathering = true
      stream.cork()
      process.nextTick(() => {
        isGathering = false
        stream.uncork()
      })
    }
    return write(...args)
  }
}
