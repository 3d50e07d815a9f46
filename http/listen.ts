import { createServer } from 'node:http'
import type { Server } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo, Socket } from 'node:net'
import { setTimeout } from 'node:timers/promises'
import { promisify } from 'node:util'
import closeWithGrace from 'close-with-grace'
import type { FastifyInstance } from 'fastify'
import { ConfigError } from '../config/read.ts'
import { limits } from './limits.ts'

const GRACE_MS = 10_000
const FAREWELL_MS = 300
const SWEEP_MS = 20
const LOOPBACK = ['127.0.0.1', '::1'] as const

/**
 * Listens where `HOST` and `PORT` say and answers the port. `localhost` means both loopback addresses, since clients
 * differ in which they try. Throws a ConfigError where the port can't be had.
 */
export const listen = async (fastify: FastifyInstance): Promise<number> => {
  const { HOST, PORT } = fastify.config
  const [host, second] = HOST === 'localhost' ? LOOPBACK : [HOST]
  // Fastify would open the second address by itself, but when it closes it does not wait for the requests there, so that
  // the database would go away under them, and what is not HTTP gets no problem document there.
  const mirror = second === undefined ? undefined : mirrorOf(fastify)
  const servers = mirror === undefined ? [fastify.server] : [fastify.server, mirror]
  for (const server of servers) server.on('connection', noteAddress)
  drainOnClose(fastify, servers)
  try {
    await fastify.listen({ host, port: PORT })
    const { port } = fastify.server.address() as AddressInfo
    if (mirror !== undefined) await listenIfThere(mirror.listen({ host: second, port }))
    return port
  } catch (error) {
    await fastify.close()
    throw asListenError(error, HOST, PORT)
  }
}

/**
 * On SIGTERM and SIGINT: stops accepting, finishes what runs, closes the database, and exits with 0. What is not finished
 * within 10 seconds is cut off, with exit code 1.
 */
export const closeOnSignals = (fastify: FastifyInstance): void => {
  closeWithGrace({ delay: GRACE_MS, logger: fastify.log }, async ({ signal, err }) => {
    if (err !== undefined) fastify.log.fatal({ err }, 'the service stops, since something failed that nobody caught')
    else fastify.log.info({ signal }, 'the service stops')
    await fastify.close()
  })
}

/** Who speaks is asked once, at the beginning, and Node remembers it: of a connection that was reset nobody can tell any more. */
const noteAddress = (socket: Socket): void => {
  if (socket.remoteAddress === undefined) socket.destroy()
}

/** A second server that hands everything it gets to the first, and closes with it. */
const mirrorOf = (fastify: FastifyInstance): Server => {
  const main = fastify.server
  const mirror = createServer(limits.http)
  mirror.keepAliveTimeout = main.keepAliveTimeout
  mirror.requestTimeout = main.requestTimeout
  mirror.timeout = main.timeout
  for (const event of ['request', 'clientError']) mirror.on(event, (...args: unknown[]) => main.emit(event, ...args))
  return mirror
}

/** Lets each connection go as soon as its last request is answered, and has the database stay until then. */
const drainOnClose = (fastify: FastifyInstance, servers: readonly Server[]): void => {
  let closed: Promise<unknown>
  let sweep: NodeJS.Timeout
  fastify.addHook('preClose', async () => {
    // By now every answer says that its connection closes. A client that keeps one busy gets to read that; to close it
    // between two requests would fail the next.
    if ((await Promise.all(servers.map(connections))).some(open => open > 0)) await setTimeout(FAREWELL_MS)
    closed = Promise.all(servers.map(async server => await new Promise(resolve => { server.close(resolve) })))
    // Node lets go of connections that are idle now; one that is busy would be kept alive after its answer.
    sweep = setInterval(() => { for (const server of servers) server.closeIdleConnections() }, SWEEP_MS)
  })
  // Hooks of this kind run last come, first served: this one before the database's.
  fastify.addHook('onClose', async () => {
    await closed
    clearInterval(sweep)
  })
}

const connections = async (server: Server): Promise<number> => await promisify(server.getConnections.bind(server))()

const listenIfThere = async (server: Server): Promise<void> => {
  try {
    await once(server, 'listening')
  } catch (error) {
    // A machine without IPv6 has one loopback address, and that will do.
    if (!['EADDRNOTAVAIL', 'EAFNOSUPPORT'].includes(codeOf(error))) throw error
  }
}

const asListenError = (error: unknown, host: string, port: number): unknown => {
  const message = ({
    EADDRINUSE: `PORT: port ${port} of ${host} is in use. Stop what listens there, or set PORT to another.`,
    EACCES: `PORT: port ${port} of ${host} may not be used by this user. Set PORT to one from 1024 up.`,
    EADDRNOTAVAIL: `HOST: ${host} is no address of this machine.`,
    EINVAL: `HOST: ${host} is no address of this machine.`,
    ENOTFOUND: `HOST: ${host} is no address of this machine.`
  } as Record<string, string | undefined>)[codeOf(error)]
  return message === undefined ? error : new ConfigError(message)
}

const codeOf = (error: unknown): string => String((error as NodeJS.ErrnoException).code)
