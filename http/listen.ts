import { lookup } from 'node:dns/promises'
import type { AddressInfo, Socket } from 'node:net'
import { hostname } from 'node:os'
import type { FastifyInstance } from 'fastify'
import { ConfigError } from '../config/read.ts'
import type { Config } from '../config/schema.ts'
import { isPostgres } from '../net/database-url.ts'
import { VERSION } from '../version.ts'
import { drainOnClose } from './drain.ts'
import { guardSampleData } from './sample-data.ts'

/**
 * Listens on `HOST` and `PORT`, and returns the port. Throws a ConfigError if the port can't be used, or if other
 * machines could access sample data.
 */
export const listen = async (fastify: FastifyInstance): Promise<number> => {
  const { HOST, PORT } = fastify.config
  fastify.server.on('connection', readAddress)
  drainOnClose(fastify)
  try {
    // Listens on a single address. For a host name with several addresses, Fastify would create additional servers,
    // which drainOnClose wouldn't drain.
    const { address } = await lookup(HOST)
    guardSampleData(fastify, address)
    const about = describeStart(fastify.config)
    await fastify.listen({
      host: address,
      port: PORT,
      listenTextResolver: url => `${about}. Server listening at ${url}`
    })
    return (fastify.server.address() as AddressInfo).port
  } catch (error) {
    await fastify.close()
    throw asListenError(error, ['HOST', HOST], ['PORT', PORT])
  }
}

/** Returns the versions, the database engine, the node and the Redis host, for the line that is logged at startup. */
export const describeStart = ({
  DATABASE_URL,
  NODE_NAME,
  REDIS_URL
}: Pick<Config, 'DATABASE_URL' | 'NODE_NAME' | 'REDIS_URL'>): string => {
  const engine = isPostgres(DATABASE_URL) ? 'PostgreSQL' : 'SQLite'
  const node = NODE_NAME === '' ? hostname() : NODE_NAME
  const redis = REDIS_URL === '' ? 'no Redis' : `Redis at ${new URL(REDIS_URL).host}`
  return `Trivial API ${VERSION}, Node.js ${process.version.slice(1)}, ${engine}, node ${node}, ${redis}`
}

/** Reads the client's address so that Node caches it, because it's unavailable after a connection reset. */
const readAddress = (socket: Socket): void => {
  if (socket.remoteAddress === undefined) socket.destroy()
}

/**
 * Converts an error from `listen` to a ConfigError that names the variable to change. Returns other errors unchanged.
 */
export const asListenError = (
  error: unknown,
  [HOST, host]: readonly [variable: string, value: string],
  [PORT, port]: readonly [variable: string, value: number]
): unknown => {
  const noAddress = `${HOST}: ${host} is not an address of this machine. Set ${HOST} to one that is.`
  const messages: Record<string, string | undefined> = {
    EADDRINUSE: `${PORT}: port ${port} of ${host} is in use. Stop the process that uses it, or set another port.`,
    EACCES: `${PORT}: this user may not listen on port ${port} of ${host}. Set ${PORT} to 1024 or higher.`,
    EADDRNOTAVAIL: noAddress,
    EINVAL: noAddress,
    ENOTFOUND: noAddress,
    EAI_AGAIN: noAddress
  }
  const message = messages[String((error as NodeJS.ErrnoException).code)]
  return message === undefined ? error : new ConfigError(message)
}
