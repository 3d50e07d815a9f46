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
 * Listens where `HOST` and `PORT` say and answers the port. Throws a ConfigError where the port can't be had, and where
 * sample data would be served to others than this machine.
 */
export const listen = async (fastify: FastifyInstance): Promise<number> => {
  const { HOST, PORT } = fastify.config
  fastify.server.on('connection', noteAddress)
  drainOnClose(fastify)
  try {
    // One address: for the name of several, Fastify would open servers of which the others are not told to drain.
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

/** The version, the engine, the name of the node and the Redis, for the line in the log when the service listens. */
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

/**
 * Node asks for the address of a client when it is first read, and remembers it. After a reset it can't be had any
 * more.
 */
const noteAddress = (socket: Socket): void => {
  if (socket.remoteAddress === undefined) socket.destroy()
}

/** Turns a failure to listen into a ConfigError that names the variables; any other error comes back as it is. */
export const asListenError = (
  error: unknown,
  [HOST, host]: readonly [variable: string, value: string],
  [PORT, port]: readonly [variable: string, value: number]
): unknown => {
  const noAddress = `${HOST}: ${host} is no address of this machine.`
  const messages: Record<string, string | undefined> = {
    EADDRINUSE: `${PORT}: port ${port} of ${host} is in use. Stop what listens there, or set ${PORT} to another.`,
    EACCES: `${PORT}: port ${port} of ${host} may not be used by this user. Set ${PORT} to one from 1024 up.`,
    EADDRNOTAVAIL: noAddress,
    EINVAL: noAddress,
    ENOTFOUND: noAddress,
    EAI_AGAIN: noAddress
  }
  const message = messages[String((error as NodeJS.ErrnoException).code)]
  return message === undefined ? error : new ConfigError(message)
}
