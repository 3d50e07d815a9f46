import type { Client, PoolClient } from 'pg'

/**
 * Combines all writes to a connection in one turn of the event loop into one system call. A system call takes about as
 * long as all other work for a query.
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
