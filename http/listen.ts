import { createServer } from 'node:http'
import type { Server } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import closeWithGrace from 'close-with-grace'
import type { FastifyInstance } from 'fastify'
import { ConfigError } from '../config/read.ts'
import { limits } from './limits.ts'

const GRACE_MS = 10_000
const LOOPBACK = ['127.0.0.1', '::1'] as const

/**
 * Listens where `HOST` and `PORT` say and answers the port. `localhost` means both loopback addresses, since clients
 * differ in which they try. Throws a ConfigError where the port can't be had.
 */
export const listen = async (fastify: FastifyInstance): Promise<number> => {
  const { HOST, PORT } = fastify.config
  const [host, second] = HOST === 'localhost' ? LOOPBACK : [HOST]
  // Fastify would open the second address by itself, but neither waits for its requests when it closes, so that the
  // database would go away under them, nor gives it an answer for what is not HTTP.
  const mirror = second === undefined ? undefined : mirrorOf(fastify)
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

/** A second server that hands everything it gets to the first, and closes with it. */
const mirrorOf = (fastify: FastifyInstance): Server => {
  const main = fastify.server
  const mirror = createServer(limits.http)
  mirror.keepAliveTimeout = main.keepAliveTimeout
  mirror.requestTimeout = main.requestTimeout
  mirror.timeout = main.timeout
  for (const event of ['request', 'clientError']) mirror.on(event, (...args: unknown[]) => main.emit(event, ...args))

  let closed: Promise<unknown> = Promise.resolve()
  fastify.addHook('preClose', async () => {
    closed = new Promise(resolve => { mirror.close(resolve) })
  })
  // Hooks of this kind run last come, first served: this one before the database's.
  fastify.addHook('onClose', async () => { await closed })
  return mirror
}

const listenIfThere = async (server: Server): Promise<void> => {
  try {
    await once(server, 'listening')
  } catch (error) {
    // A machine without IPv6 has one loopback address, and that will do.
    if (!['EADDRNOTAVAIL', 'EAFNOSUPPORT'].includes(codeOf(error))) throw error
  }
}

const asListenError = (error: unknown, host: string, port: number): unknown => {
  switch (codeOf(error)) {
    case 'EADDRINUSE': return new ConfigError(`PORT: port ${port} of ${host} is in use. Stop what listens there, or set PORT to another.`)
    case 'EACCES': return new ConfigError(`PORT: port ${port} of ${host} may not be used by this user. Set PORT to one from 1024 up.`)
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND': return new ConfigError(`HOST: ${host} is no address of this machine.`)
    default: return error
  }
}

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error ? String(error.code) : ''
