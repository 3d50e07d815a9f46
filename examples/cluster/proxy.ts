import type { AddressInfo } from 'node:net'
import proxy from '@fastify/http-proxy'
import Fastify from 'fastify'

/** A proxy that gives each request to the next of the nodes, on a free port. */
export const startProxy = async (bases: readonly string[]) => {
  const fastify = Fastify({ forceCloseConnections: true })
  let turn = 0
  const getUpstream = (): string => String(bases[turn++ % bases.length])
  await fastify.register(proxy, { upstream: '', replyOptions: { getUpstream } })
  await fastify.listen({ host: '127.0.0.1', port: 0 })
  const { port } = fastify.server.address() as AddressInfo
  return {
    base: `http://127.0.0.1:${port}`,
    close: async () => {
      await fastify.close()
    }
  }
}
