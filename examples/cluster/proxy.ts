import type { AddressInfo } from 'node:net'
import proxy from '@fastify/http-proxy'
import Fastify from 'fastify'

/** Starts a proxy on a free port that distributes requests to the nodes in turn. */
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
